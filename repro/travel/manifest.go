package travel

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"heisen/repro/bundle"
)

// maskManifest masks every string of a manifest but the hashes, and gives it back decoded. Strings in base64
// (bundle.Text) are masked as the bytes they stand for.
func maskManifest(m *bundle.Manifest, rules []rule) (*bundle.Manifest, []Finding, error) {
	bare := *m
	bare.Files = nil // they are listed anew
	data, err := json.Marshal(&bare)
	if err != nil {
		return nil, nil, fmt.Errorf("encode manifest: %w", err)
	}
	var tree any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // a seed must not become a float
	if err := dec.Decode(&tree); err != nil {
		return nil, nil, fmt.Errorf("decode manifest: %w", err)
	}
	var found []Finding
	tree = maskTree(tree, "", rules, &found)
	if data, err = json.Marshal(tree); err != nil {
		return nil, nil, fmt.Errorf("encode manifest: %w", err)
	}
	var out bundle.Manifest
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, nil, fmt.Errorf("decode masked manifest: %w", err)
	}
	return &out, merge(found), nil
}

// hashed are the members whose strings are digests, identities or times: they look random and say nothing.
var hashed = map[string]bool{"hash": true, "revision": true, "started": true, "campaign": true, "id": true}

func maskTree(node any, name string, rules []rule, found *[]Finding) any {
	switch n := node.(type) {
	case map[string]any:
		masked := make(map[string]any, len(n))
		for key, value := range n {
			member := key
			if name == "hashes" { // paths with the digest of each
				member = "hash"
			}
			masked[maskString(key, rules, found)] = maskTree(value, member, rules, found)
		}
		return masked
	case []any:
		for i := range n {
			n[i] = maskTree(n[i], name, rules, found)
		}
	case string:
		switch {
		case hashed[name]:
			return n
		case name == "base64":
			return maskBase64(n, rules, found)
		}
		return maskString(n, rules, found)
	}
	return node
}

// maskBase64 masks bytes that are no UTF-8, whole if anything is found in them: nobody could check the rest.
func maskBase64(coded string, rules []rule, found *[]Finding) string {
	raw, err := base64.StdEncoding.DecodeString(coded)
	if err != nil || maskString(string(raw), rules, found) == string(raw) {
		return coded
	}
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("*"), len(raw)))
}

func maskString(text string, rules []rule, found *[]Finding) string {
	masked, f := mask(bundle.ManifestFile, []byte(text), rules)
	for i := range f {
		f[i].Line = 0
	}
	*found = append(*found, f...)
	return string(masked)
}
