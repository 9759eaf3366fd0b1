package serve

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
)

// Options say where a dashboard is served, and to whom.
type Options struct {
	// Address is host:port, or a port of loopback alone; port 0 takes a free one.
	Address string
	// Cert and Key are files in PEM, both or neither. What is not loopback takes them.
	Cert, Key string
	// TokenFile holds the token, for programs that ask again and again; "" draws a new one.
	TokenFile string
}

// Door is where a dashboard can be served: everything about it is checked, nothing is open yet.
type Door struct {
	addr  *net.TCPAddr
	tls   *tls.Config // nil for plain text
	token string
	// secret tells that the token is the user's own and is not to be printed.
	secret bool
}

// Prepare checks the options. Every error is the user's to mend.
func Prepare(o Options) (*Door, error) {
	address := o.Address
	if !strings.Contains(address, ":") {
		address = "127.0.0.1:" + address
	}
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve on %s: %w: give an address and a port, such as 127.0.0.1:8080", o.Address, err)
	}
	d := &Door{addr: addr, token: rand.Text()}
	if o.Cert != "" || o.Key != "" {
		if d.tls, err = readPair(o.Cert, o.Key); err != nil {
			return nil, err
		}
	}
	if !addr.IP.IsLoopback() && d.tls == nil {
		return nil, fmt.Errorf("serve on %s: refused: others could read along: serve on 127.0.0.1 and forward the port (ssh -L), or give a certificate and its key", o.Address)
	}
	if o.TokenFile != "" {
		d.secret = true
		if d.token, err = readToken(o.TokenFile); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func readPair(cert, key string) (*tls.Config, error) {
	if cert == "" || key == "" {
		return nil, errors.New("serve: a certificate and its key go together: give both")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("serve: read %s and %s: %w: give a certificate and its key, in PEM", cert, key, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS13}, nil
}

// leastToken is the shortest token that is taken: of hexadecimal digits, 64 bits.
const leastToken = 16

// readToken reads a token that no other user can.
func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("serve: read the token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("serve: read the token: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode()&(fs.ModePerm&^0o700) != 0 {
		return "", fmt.Errorf("serve: read the token from %s: others may read it: make it a file of yours alone (chmod 600)", file)
	}
	var b [4096]byte
	n, err := f.Read(b[:])
	token := strings.TrimSpace(string(b[:n]))
	if err != nil || len(token) < leastToken || len(token) > 512 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("serve: read the token from %s: give one line of at least %d characters without blanks (openssl rand -hex 16)", file, leastToken)
	}
	return token, nil
}

// Open takes the port.
func (d *Door) Open() (*Server, error) {
	l, err := net.ListenTCP("tcp", d.addr)
	if err != nil {
		return nil, fmt.Errorf("serve: %w: give another port, or 0 for a free one", err)
	}
	return newServer(d, l), nil
}

func (d *Door) wrap(l net.Listener) net.Listener {
	if d.tls == nil {
		return l
	}
	return tls.NewListener(l, d.tls)
}

// url is what a user opens; a token that is the user's own is left to them.
func (d *Door) url(at net.Addr) string {
	u := url.URL{Scheme: "http", Host: at.String(), Path: "/"}
	if d.tls != nil {
		u.Scheme = "https"
	}
	token := d.token
	if d.secret {
		token = "…"
	}
	return u.String() + "?token=" + token
}

// knows tells whether a Host header names this server. A browser that was lured here by a name of an attacker's (DNS
// rebinding) says that name. Any port is right, so that a forwarded one is.
func (d *Door) knows(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.Trim(name, "[]")
	if d.addr.IP.IsLoopback() && (strings.EqualFold(name, "localhost") || net.ParseIP(name).IsLoopback()) {
		return true
	}
	return d.tls != nil && name != "" && d.tls.Certificates[0].Leaf.VerifyHostname(name) == nil
}
