package transport

import (
	"errors"
	"net/http"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// streamsList tells whether a request is a watch that begins with a list, as reflectors make first.
func streamsList(req *http.Request) bool {
	return req.URL.Query().Get("sendInitialEvents") == "true"
}

// evenTempered takes from the answer to such a request what makes client-go's reflector (watchList in
// tools/cache/reflector.go, 0.37.2) sleep for up to a minute without looking at its context, and without
// telling anyone: that the connection was refused, or that the server is too busy. To any other error the
// reflector's answer is a plain list, whose errors it reports, and waits after with an eye on the context.
func evenTempered(resp *http.Response, err error) (*http.Response, error) {
	switch {
	case utilnet.IsConnectionRefused(err):
		return nil, errors.New(err.Error())
	case err == nil && resp.StatusCode == http.StatusTooManyRequests:
		_ = resp.Body.Close()
		return nil, errors.New("the API server is too busy to stream a list")
	}
	return resp, err
}
