package serve

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports/internal/recorded"
)

// ask sends one request as it stands and gives the status and the beginning of the answer.
func ask(t *testing.T, address, method, target, host string, header map[string]string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", method, target, host)
	for k, v := range header {
		fmt.Fprintf(c, "%s: %s\r\n", k, v)
	}
	fmt.Fprint(c, "\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	defer res.Body.Close()
	body := make([]byte, 2000)
	n, _ := res.Body.Read(body)
	return res.StatusCode, string(body[:n])
}

// open serves a handler without anything before it, for controls.
func open(t *testing.T, h http.Handler) (address string) {
	naive := httptest.NewServer(h)
	t.Cleanup(naive.Close)
	return naive.Listener.Addr().String()
}

// foreignHosts lists the names that are not this machine's and get anything but 421.
func foreignHosts(t *testing.T, s *Server, address string) (answered []string) {
	for _, host := range []string{"evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
		"10.0.0.1", "[::ffff:10.0.0.1]:80", "0.0.0.0", "localhost:80@evil.example", ""} {
		for _, path := range []string{"/", "/events", "/metrics", "/healthz", "/absent"} {
			if code, _ := ask(t, address, "GET", path+"?token="+s.door.token, host, nil); code != http.StatusMisdirectedRequest && code != http.StatusBadRequest {
				answered = append(answered, host+path)
			}
		}
	}
	// The whole address in the request line counts more than the header (RFC 9112, 3.2.2).
	if code, _ := ask(t, address, "GET", "http://evil.example/?token="+s.door.token, "localhost", nil); code != http.StatusMisdirectedRequest {
		answered = append(answered, "absolute form")
	}
	return answered
}

func TestFault52ForeignHost(t *testing.T) {
	s, _ := serving(t, quick(), Config{}, recorded.Rare()[:30]...)
	address := s.net.Addr().String()
	require.Empty(t, foreignHosts(t, s, address))
	for _, host := range []string{address, "localhost", "LocalHost:1234", "127.0.0.1", "127.9.9.9:80", "[::1]:80"} {
		code, body := ask(t, address, "GET", "/?token="+s.door.token, host, nil)
		require.Equal(t, http.StatusOK, code, "%s: %s", host, body)
	}
	// Control: without the check, the same page answers to any name.
	require.Contains(t, foreignHosts(t, s, open(t, http.HandlerFunc(s.servePage))), "evil.example/")
}

// readable lists the requests of other sites, and of strangers, that get anything but 403.
func readable(t *testing.T, s *Server, address string) (answered []string) {
	token := "?token=" + s.door.token
	for _, ask1 := range []struct {
		name, query string
		header      map[string]string
	}{
		{"cross-site", token, map[string]string{"Sec-Fetch-Site": "cross-site"}},
		{"same-site", token, map[string]string{"Sec-Fetch-Site": "same-site"}},
		{"old browser", token, map[string]string{"Origin": "http://evil.example"}},
		{"sandboxed", token, map[string]string{"Origin": "null"}},
		{"no token", "", nil},
		{"no token, same origin", "", map[string]string{"Sec-Fetch-Site": "same-origin"}},
		{"empty token", "?token=", nil},
		{"wrong token", "?token=" + strings.ToLower(s.door.token), nil},
		{"half a token", token[:len(token)-1], nil},
		{"wrong bearer", token, map[string]string{"Authorization": "Bearer x"}},
		{"cookie", "", map[string]string{"Cookie": "token=" + s.door.token}},
	} {
		for _, path := range []string{"/", "/events", "/metrics"} {
			if code, _ := ask(t, address, "GET", path+ask1.query, "localhost", ask1.header); code != http.StatusForbidden {
				answered = append(answered, ask1.name+" "+path)
			}
		}
	}
	return answered
}

func TestFault53OtherSitesAndStrangers(t *testing.T) {
	s, _ := serving(t, quick(), Config{}, recorded.Rare()[:30]...)
	address := s.net.Addr().String()
	require.Empty(t, readable(t, s, address))
	for name, header := range map[string]map[string]string{
		"typed": {"Sec-Fetch-Site": "none"}, "own page": {"Sec-Fetch-Site": "same-origin"}, "curl": nil,
		"own origin": {"Origin": "http://localhost"},
	} {
		code, _ := ask(t, address, "GET", "/?token="+s.door.token, "localhost", header)
		require.Equal(t, http.StatusOK, code, name)
	}
	code, _ := ask(t, address, "GET", "/metrics", "localhost", map[string]string{"Authorization": "Bearer " + s.door.token})
	require.Equal(t, http.StatusOK, code, "as Prometheus sends it")
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		code, _ := ask(t, address, method, "/?token="+s.door.token, "localhost", nil)
		require.Equal(t, http.StatusMethodNotAllowed, code)
	}
	// Control: bare, everything is answered; and the standard library's protection alone lets every GET through.
	bare := http.HandlerFunc(s.servePage)
	require.Contains(t, readable(t, s, open(t, bare)), "no token /")
	require.Contains(t, readable(t, s, open(t, http.NewCrossOriginProtection().Handler(bare))), "cross-site /")
}

// traversals lists the paths that lead to anything but 404.
func traversals(t *testing.T, address, token string) (answered []string) {
	for _, path := range []string{"/%2e%2e/secret", "/..%2fsecret", "/../secret", "/./../secret", "//secret", "/%2e%2e%2fsecret", "/events/..%2f..%2fsecret",
		"/%5c..%5csecret", "/metrics/../secret", "/%00", "/metrics%2f", "/%6detrics", "/.%2e/secret", "/static/../../secret"} {
		code, body := ask(t, address, "GET", path+"?token="+token, "localhost", nil)
		if code != http.StatusNotFound || strings.Contains(body, "canary") {
			answered = append(answered, path)
		}
	}
	return answered
}

func TestFault54EncodedTraversal(t *testing.T) {
	s, _ := serving(t, quick(), Config{}, recorded.Rare()[:30]...)
	require.Empty(t, traversals(t, s.net.Addr().String(), s.door.token))

	// Control: a server of a folder that joins paths hands out what is beside it.
	top := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(top, "secret"), []byte("canary"), 0o600))
	naive := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, _ := url.PathUnescape(r.URL.EscapedPath())
		data, err := os.ReadFile(filepath.Join(top, "folder", path))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	require.NoError(t, os.Mkdir(filepath.Join(top, "folder"), 0o700))
	require.Contains(t, traversals(t, naive, ""), "/%2e%2e/secret")
}
