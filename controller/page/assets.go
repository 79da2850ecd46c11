// SPDX-License-Identifier: Apache-2.0

package page

import (
	"embed"
	"net/http"
)

//go:embed assets
var assets embed.FS

// asset is a file of the page.
type asset struct{ name, contentType string }

func (a asset) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	content, err := assets.ReadFile(a.name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", a.contentType)
	_, _ = w.Write(content) // whoever has gone away needs no answer
}
