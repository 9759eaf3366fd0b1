// Package travel takes bundles out of the house and in. An export shows first what would leave, masks what
// looks like a secret, and is one file, the same byte for byte whenever the same bundle is exported. An import
// takes a stranger's file: it refuses whole whatever no export writes, and never executes anything.
//
// Masking is best effort (docs/bundle.md): it knows the values it is told, and common shapes of secrets.
package travel
