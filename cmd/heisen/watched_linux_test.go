package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// watchedCommand runs a hunt that ends once the file done is there, and is its viewer meanwhile: watched heisen hunt ...
// What the hunt prints is in hunt.out and hunt.err.
func watchedCommand(ts *testscript.TestScript, _ bool, args []string) {
	heisen, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(heisen, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "PWD="+cmd.Dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout = &stdout
	told, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewReader(told)
	url := ""
	for url == "" {
		line, err := lines.ReadString('\n')
		stderr.WriteString(line)
		ts.Check(err)
		url = regexp.MustCompile(`https?://\S+`).FindString(line)
	}
	view(ts, url)
	ts.Check(os.WriteFile(ts.MkAbs("done"), nil, 0o600))
	_, err = io.Copy(&stderr, lines)
	ts.Check(err)
	if err := cmd.Wait(); err == nil || err.Error() != "exit status 10" {
		ts.Fatalf("the hunt ended with %v\n%s", err, stderr.String())
	}
	if _, err := http.Get(url); err == nil {
		ts.Fatalf("the dashboard outlives its hunt")
	}
	ts.Check(os.WriteFile(ts.MkAbs("hunt.out"), stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("hunt.err"), stderr.Bytes(), 0o600))
}

// view looks at a dashboard as its user, as Prometheus and as others.
func view(ts *testscript.TestScript, url string) {
	base, token, _ := strings.Cut(url, "?token=")
	ask := func(want int, url string, header ...string) string {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		ts.Check(err)
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
			if header[i] == "Host" {
				req.Host = header[i+1]
			}
		}
		res, err := http.DefaultClient.Do(req)
		ts.Check(err)
		defer res.Body.Close()
		if res.StatusCode != want {
			ts.Fatalf("%s is answered %s", url, res.Status)
		}
		body := make([]byte, 1<<16)
		n, _ := io.ReadFull(res.Body, body)
		return string(body[:n])
	}
	has := func(text, part string) {
		if !strings.Contains(text, part) {
			ts.Fatalf("%q is not in %s", part, text)
		}
	}
	has(ask(http.StatusOK, url), `<p class="muted" id="live"`)
	for until := time.Now().Add(time.Minute); !strings.Contains(ask(http.StatusOK, url), "Failure rate over time"); {
		if time.Now().After(until) {
			ts.Fatalf("no attempt is drawn")
		}
	}
	stream, err := http.Get(base + "events?token=" + token)
	ts.Check(err)
	defer stream.Body.Close()
	for line, lines := "", bufio.NewReader(stream.Body); !strings.Contains(line, `"figures"`); {
		line, err = lines.ReadString('\n')
		ts.Check(err)
	}
	has(ask(http.StatusOK, base+"healthz"), "ok")
	has(ask(http.StatusOK, base+"metrics", "Authorization", "Bearer "+token), `heisen_attempts_total{outcome="fail"} 0`)
	ask(http.StatusForbidden, base)
	ask(http.StatusForbidden, base+"metrics")
	ask(http.StatusForbidden, url, "Sec-Fetch-Site", "cross-site")
	ask(http.StatusMisdirectedRequest, url, "Host", "evil.example")
	ask(http.StatusNotFound, base+"%2e%2e/%2e%2e/etc/passwd?token="+token)
}
