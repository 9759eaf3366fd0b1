package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/internal/recorded"
)

// pair writes a certificate for build.example and 127.0.0.1, and its key.
func pair(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"build.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(cert, certPEM, 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return cert, key, roots
}

// beyond are addresses that other machines reach.
func beyond(t *testing.T) []string {
	list := []string{"0.0.0.0:0", ":0", "[::]:0"}
	addrs, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() && !ip.IP.IsLinkLocalUnicast() {
			list = append(list, net.JoinHostPort(ip.IP.String(), "0"))
		}
	}
	return list
}

func TestFault57BeyondLoopbackWithoutTLS(t *testing.T) {
	for _, address := range beyond(t) {
		_, err := Prepare(Options{Address: address})
		require.ErrorContains(t, err, "refused", address)
	}
	// Control: nothing but heisen refuses them.
	l, err := net.Listen("tcp", beyond(t)[0])
	require.NoError(t, err)
	require.NoError(t, l.Close())
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0", "localhost:0", "[::1]:0", "0", "8080"} {
		d, err := Prepare(Options{Address: address})
		require.NoError(t, err, address)
		require.True(t, d.addr.IP.IsLoopback())
	}
	for _, address := range []string{"70000", "127.0.0.1", "127.0.0.1:http:", "no such host:1"} {
		_, err := Prepare(Options{Address: address})
		require.Error(t, err, address)
	}
}

// With TLS, all interfaces are served, by the certificate's names alone, and not without the token.
func TestFault57BeyondLoopbackWithTLS(t *testing.T) {
	cert, key, roots := pair(t)
	door, err := Prepare(Options{Address: "0.0.0.0:0", Cert: cert, Key: key})
	require.NoError(t, err)
	s, err := door.Open()
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.limits = quick()
	s.Start(Config{Source: &engine{tally: recorded.Tally(t, recorded.Rare()[:30])}})
	_, port, err := net.SplitHostPort(s.net.Addr().String())
	require.NoError(t, err)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(tr.CloseIdleConnections)
	status := func(host, query string) int {
		req, err := http.NewRequest(http.MethodGet, "https://127.0.0.1:"+port+"/"+query, nil)
		require.NoError(t, err)
		req.Host = host
		res, err := tr.RoundTrip(req)
		require.NoError(t, err)
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	token := "?token=" + door.token
	require.Equal(t, http.StatusOK, status("build.example", token))
	require.Equal(t, http.StatusOK, status("127.0.0.1:"+port, token))
	require.Equal(t, http.StatusForbidden, status("build.example", ""))
	require.Equal(t, http.StatusMisdirectedRequest, status("localhost", token), "not a name of the certificate")
	require.Equal(t, http.StatusMisdirectedRequest, status("evil.example", token))
	plain, err := http.Get("http://127.0.0.1:" + port + "/" + token)
	if err == nil {
		defer plain.Body.Close()
		require.Equal(t, http.StatusBadRequest, plain.StatusCode, "no plain text")
	}
	http.DefaultClient.CloseIdleConnections()
	require.True(t, strings.HasPrefix(s.URL(), "https://"))
}

func TestPairsThatAreNone(t *testing.T) {
	cert, key, _ := pair(t)
	for _, o := range []Options{{Cert: cert}, {Key: key}, {Cert: key, Key: cert}, {Cert: cert, Key: "/absent"}} {
		o.Address = "127.0.0.1:0"
		_, err := Prepare(o)
		require.Error(t, err)
	}
}

func TestTokensOfTheUsersOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	try := func(text string, mode os.FileMode) (*Door, error) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		require.NoError(t, os.Chmod(file, mode))
		return Prepare(Options{Address: "0", TokenFile: file})
	}
	d, err := try("0123456789abcdef\n", 0o600)
	require.NoError(t, err)
	require.Equal(t, "0123456789abcdef", d.token)
	require.NotContains(t, d.url(d.addr), d.token, "it is not printed")
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644} {
		_, err = try("0123456789abcdef", mode)
		require.ErrorContains(t, err, "chmod 600")
	}
	for _, text := range []string{"", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\nmore", strings.Repeat("x", 513)} {
		_, err = try(text, 0o600)
		require.ErrorContains(t, err, "at least 16 characters", text)
	}
	_, err = Prepare(Options{Address: "0", TokenFile: "/absent"})
	require.Error(t, err)
}
