// Package campaign keeps the folders of campaigns: how they are named, found, locked and tidied up.
//
//	.heisen/                            the store (--dir)
//	└── 20261121-224512-3fa9c1/         one campaign; the name is its id
//	    ├── campaign.json               what it is (Meta)
//	    ├── lock                        held with flock(2) by the process that runs it
//	    ├── journal/                    stress/journal
//	    └── bundles/SIGNATURE/ATTEMPT/  one failure each; names that begin with .tmp- are unfinished
//
// Attempts get their temporary folders from a root outside of all that, in the machine's own temporary
// folder (Temp), because tests make sockets there and a socket's path has 108 bytes (unix(7)).
package campaign
