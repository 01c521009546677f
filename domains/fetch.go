package domains

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// A Fetcher fetches the documents that a domain offers.
type Fetcher interface {
	// Fetch returns the document at https://host/path. It connects to one of addrs. The error is
	// [ErrNotAllowed] if it may connect to none of them.
	Fetch(ctx context.Context, host, path string, addrs []netip.Addr) (*Document, error)
}

// ErrNotAllowed says that a document was not fetched, as its host may not be contacted.
var ErrNotAllowed = errors.New("not fetched: the host is not in the scope")

// dialTimeout is for one address of several.
const dialTimeout = 3 * time.Second

// A Document is what a server returned.
type Document struct {
	Type string // the media type, without parameters
	Body []byte
}

// maxDocument is the size of a document. RFC 8461, Section 3.2 suggests 64 kB for policies.
const maxDocument = 64 << 10

// HTTPS fetches documents over HTTPS, from servers with a valid certificate, and follows no
// redirect (RFC 8461, Section 3.3).
type HTTPS struct {
	Allowed func(netip.Addr) bool // whether it may be contacted; nil allows all
	Roots   *x509.CertPool        // nil is those of the system
	Port    int                   // 0 is 443
	Timeout time.Duration         // for one document; 0 is 10 s
}

// Fetch implements [Fetcher].
func (h *HTTPS) Fetch(ctx context.Context, host, path string, addrs []netip.Addr) (*Document, error) {
	var allowed []netip.Addr
	for _, a := range addrs {
		if h.Allowed == nil || h.Allowed(a) {
			allowed = append(allowed, a)
		}
	}
	if len(allowed) == 0 {
		return nil, ErrNotAllowed
	}
	timeout := h.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+path, nil)
	if err != nil {
		return nil, fmt.Errorf("fetching https://%s%s: %w", host, path, err)
	}
	r.Header.Set("User-Agent", "mxsweep")
	reply, err := h.client(allowed).Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetching https://%s%s: %w", host, path, errors.Unwrap(err))
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching https://%s%s: status %d", host, path, reply.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("fetching https://%s%s: %w", host, path, err)
	}
	if len(body) > maxDocument {
		return nil, fmt.Errorf("fetching https://%s%s: more than %d bytes", host, path, maxDocument)
	}
	kind, _, _ := mime.ParseMediaType(reply.Header.Get("Content-Type")) // "" if it is missing or invalid
	return &Document{Type: kind, Body: body}, nil
}

// client is a client that connects to addrs alone, whatever a name resolves to meanwhile.
func (h *HTTPS) client(addrs []netip.Addr) *http.Client {
	port := h.Port
	if port == 0 {
		port = 443
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var last error
		for _, a := range addrs {
			conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", net.JoinHostPort(a.String(), strconv.Itoa(port)))
			if err == nil {
				return conn, nil
			}
			last = err
		}
		return nil, last
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: h.Roots},
			DisableKeepAlives: true, MaxResponseHeaderBytes: maxDocument, ForceAttemptHTTP2: false},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
