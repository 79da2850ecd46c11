// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/lanyard-k8s/lanyard/controller/reconcile"
	"github.com/lanyard-k8s/lanyard/controller/snapshot"
)

// maxSaved is the number of objects whose stories are in a page that is saved.
const maxSaved = 500

// saved is the data of a page that is saved.
type saved struct {
	Snapshot named           `json:"snapshot"`
	Stories  map[string]told `json:"stories"` // by namespace/name
}

// serveSaved answers with the page in one file: with its style, its script, a snapshot, and the stories of the objects
// in that.
func (p *page) serveSaved(w http.ResponseWriter, _ *http.Request) {
	document, err := p.document()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="lanyard.html"`)
	_, _ = w.Write([]byte(document))
}

func (p *page) document() (string, error) {
	s := saved{Snapshot: p.snapshot(), Stories: map[string]told{}}
	for _, object := range objectsOf(s.Snapshot.Snapshot) {
		key := object.Namespace + "/" + object.Name
		s.Stories[key] = p.tell(reconcile.Request{Namespace: object.Namespace, Name: object.Name})
	}
	data, err := json.Marshal(s) // it has no < and >: they are escaped
	if err != nil {
		return "", err
	}
	files := map[string]string{}
	for _, name := range []string{"index.html", "page.css", "page.js"} {
		content, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		files[name] = string(content)
	}
	document := files["index.html"]
	for _, part := range []struct{ from, to string }{
		{`<link rel="icon" href="icon.svg" type="image/svg+xml">`, ""},
		{`<link rel="stylesheet" href="page.css">`, "<style>\n" + files["page.css"] + "</style>"},
		{`<script src="page.js" defer></script>`, ""},
		{"</body>", fmt.Sprintf("<script type=\"application/json\" id=\"saved\">%s</script>\n<script>\n%s</script>\n</body>",
			data, files["page.js"])},
	} {
		if strings.Count(document, part.from) != 1 {
			return "", fmt.Errorf("save the page: it does not have %q once", part.from)
		}
		document = strings.Replace(document, part.from, part.to, 1)
	}
	return document, nil
}

// objectsOf returns the objects that a snapshot names, at most maxSaved.
func objectsOf(s *snapshot.Snapshot) (all []snapshot.Object) {
	known := map[snapshot.Object]bool{}
	add := func(object snapshot.Object) {
		if !known[object] && len(all) < maxSaved {
			known[object] = true
			all = append(all, object)
		}
	}
	for i := range s.Controllers {
		for j := range s.Controllers[i].InFlight {
			add(s.Controllers[i].InFlight[j].Object)
		}
	}
	for i := range s.Recent {
		add(s.Recent[i].Object)
	}
	for i := range s.Controllers {
		for j := range s.Controllers[i].Queue.Waiting {
			add(s.Controllers[i].Queue.Waiting[j].Object)
		}
	}
	return all
}
