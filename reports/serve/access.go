package serve

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"heisen/reports/html"
)

// handler answers what it knows by the exact path as it was sent: no file is served, so no path can lead to one.
func (s *Server) handler() http.Handler {
	routes := map[string]http.HandlerFunc{"/": s.servePage, "/events": s.serveEvents, "/metrics": s.metrics().ServeHTTP}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.headers(w.Header())
		path := r.URL.EscapedPath()
		route, known := routes[path]
		switch {
		case !s.door.knows(r.Host):
			refuse(w, http.StatusMisdirectedRequest, "this server does not go by that name: open the address that heisen printed")
		case elsewhere(r):
			refuse(w, http.StatusForbidden, "asked for by another site: open the address that heisen printed by hand")
		case path != "/healthz" && !known:
			refuse(w, http.StatusNotFound, "there are /, /events, /metrics and /healthz")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "nothing can be changed here")
		case path == "/healthz":
			s.serveHealth(w)
		case !s.admits(r):
			refuse(w, http.StatusForbidden, "no token, or not this campaign's: open the address that heisen printed")
		default:
			route(w, r)
		}
	})
}

// headers allow a browser the least: the page's own style and scripts, this server, no frame, no copy.
func (s *Server) headers(h http.Header) {
	h.Set("Content-Security-Policy", html.Page{Live: script}.Policy()+"; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// elsewhere tells a request that another site's page made. The standard library asks this of requests that change
// something; here reading is what another site must not do.
func elsewhere(r *http.Request) bool {
	var guard http.CrossOriginProtection
	asked := *r
	asked.Method = http.MethodPost
	return guard.Check(&asked) != nil
}

// admits tells whether a request has the token, as a parameter or as a bearer's. No cookie holds it: a browser would
// send that to every port of this machine.
func (s *Server) admits(r *http.Request) bool {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		token = r.URL.Query().Get("token")
	}
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.door.token)) == 1
}

func refuse(w http.ResponseWriter, status int, why string) { http.Error(w, "heisen: "+why, status) }
