// Package provenance says where a result came from: which program ran (Identify), out of which state of
// the source (Git), on what machine (Root.Host) and with which environment (Environment).
//
// Its answers end in bundles, and bundles end up in public. So it never asks for a host name or a user
// name, keeps the values of known harmless environment variables only, and runs nothing that the folder
// it looks at could have chosen.
package provenance
