// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/page"
	"github.com/lanyard-k8s/lanyard/controller/virtualtest"
)

// world is a manager whose reconciles wait until the test lets them go, on an API in memory.
type world struct {
	*virtualtest.API
	*virtualtest.Running
	address string
	timeout time.Duration
	obeys   bool // a reconcile returns when its context ends

	mu   sync.Mutex
	hold chan struct{} // nil: reconciles return at once
}

// start runs a manager and serves its page. hold makes its reconciles wait.
func start(t testing.TB, workers int, timeout time.Duration, hold bool, change ...func(*controller.ManagerOptions)) *world {
	t.Helper()
	w := &world{API: virtualtest.NewAPI(t), timeout: timeout}
	if hold {
		w.hold = make(chan struct{})
	}
	w.Running = virtualtest.Start(t, w.API, func(m *controller.Manager) error {
		client, err := kubernetes.NewForConfig(m.Config())
		if err != nil {
			return err
		}
		factory := controller.AddFactory(m, informers.NewSharedInformerFactory(client, 0))
		controller.New(m, "maps", factory.Core().V1().ConfigMaps().TypedInformer(), w.reconcile,
			controller.Options{Workers: workers, Timeout: timeout, Reserve: timeout / 10})
		return nil
	}, change...)
	mux := http.NewServeMux()
	mux.Handle("/page/", http.StripPrefix("/page", page.New(w.Manager, page.Options{Name: "maps-operator"})))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(func() { w.release() })
	w.address = server.URL + "/page/"
	return w
}

func (w *world) reconcile(ctx context.Context, cm *corev1.ConfigMap) (controller.Result, error) {
	w.mu.Lock()
	hold, obeys := w.hold, w.obeys
	w.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			if !obeys {
				<-hold // it does not return when it should
			}
			return controller.Result{}, ctx.Err()
		}
	}
	if cm.Data["fails"] != "" {
		return controller.Result{}, errors.New("the content is " + cm.Data["fails"])
	}
	return controller.Result{RequeueAfter: time.Hour}, nil
}

func (w *world) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hold != nil {
		close(w.hold)
		w.hold = nil
	}
}

func (w *world) add(n int) {
	for i := range n {
		w.Create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("map-%04d", i)}})
	}
}

const inFlight = `document.querySelectorAll('ul[aria-label="In flight of maps"] > li').length`

// search asks for a story by keyboard alone.
func (b *browser) search(object string) {
	b.Helper()
	b.do(chromedp.KeyEvent("/"))
	b.await("the key / leads to the search", `document.activeElement.id === "object"`)
	// DevTools type the character although the page has taken the key, which a keyboard does not.
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("object").value = ""`), chromedp.KeyEvent(object+kb.Enter))
}

func TestTheTreeGrowsAndShrinksWithTheRun(t *testing.T) {
	w := start(t, 10, time.Hour, true)
	b := open(t, w.address, 1200, 900)
	b.await("it shows the controller", `document.getElementById("tree").innerText.includes("maps")`)
	w.add(7)
	b.await("seven are in flight", inFlight+" === 7")
	if text := eval[string](b, `document.getElementById("shutdown").innerText`); !strings.Contains(text, "7 reconciles would be cancelled") {
		t.Errorf("of a shutdown it says %q", text)
	}
	w.release()
	b.await("none is in flight", inFlight+" === 0")
	b.await("they are in the queue", `document.querySelector("summary.queue").textContent.includes("7 delayed")`)
}

func TestATermThatIsLostEmptiesItsBranch(t *testing.T) {
	w := start(t, 10, time.Hour, true, func(o *controller.ManagerOptions) {
		o.LeaderElection = &controller.LeaderElection{Namespace: "shop", Name: "maps", Identity: "a"}
	})
	w.mu.Lock()
	w.obeys = true
	w.mu.Unlock()
	b := open(t, w.address, 1200, 900)
	w.add(5)
	b.await("five are in flight in the term", inFlight+` === 5 && document.getElementById("tree").innerText.includes("shop/maps")`)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "maps"}}
	w.Get(lease)
	other := "b"
	lease.Spec.HolderIdentity = &other
	w.Update(lease)
	b.await("none is in flight", inFlight+" === 0")
}

func TestAnObjectsStoryIsTold(t *testing.T) {
	w := start(t, 4, time.Hour, false)
	b := open(t, w.address, 1200, 900)
	b.await("it shows the controller", `document.getElementById("tree").innerText.includes("always") || document.getElementById("tree").innerText.includes("Always")`)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
	w.Create(object)
	b.await("it was reconciled", `document.getElementById("recent").innerText.includes("shop/web")`)
	w.Get(object)
	object.Data = map[string]string{"fails": "planted"}
	w.Update(object)
	b.await("it has failed", `document.getElementById("recent").innerText.includes("an error of the program")`)
	// By keyboard alone: the search is at /, and Enter asks.
	b.search("shop/web")
	b.await("the story is told", `document.getElementById("story-text").textContent.includes("Reconciled")`)
	text := eval[string](b, `document.getElementById("story-text").textContent`)
	for _, want := range []string{"ConfigMap shop/web, controller maps", "by a change of itself", "It waits until ", "its last reconcile had failed", "the object itself was created"} {
		if !strings.Contains(text, want) {
			t.Errorf("the story does not say %q:\n%s", want, text)
		}
	}
	if focus := eval[string](b, "document.activeElement.id"); focus != "story-title" {
		t.Errorf("the focus is on %q", focus)
	}
	b.do(chromedp.KeyEvent(kb.Escape))
	b.await("Escape closes it", `document.getElementById("story").hidden && document.activeElement.id === "object"`)
	if whole := eval[string](b, "document.documentElement.outerHTML"); strings.Contains(whole, "planted") {
		t.Error("the page has content of the object")
	}
}

func TestAStuckItemIsMarked(t *testing.T) {
	w := start(t, 2, time.Second, true)
	w.add(1)
	b := open(t, w.address, 1200, 900)
	b.await("it is marked", `document.querySelector('ul[aria-label="In flight of maps"] > li.bad')?.innerText.includes("STUCK")`)
	red := eval[bool](b, `(() => { const c = getComputedStyle(document.querySelector("li.bad")).color.match(/\d+/g).map(Number); return c[0] > 1.5 * c[1] && c[0] > 1.5 * c[2]; })()`)
	if !red {
		t.Error("it is not red")
	}
}

// TestAThousandItemsKeepThePageResponsive measures in the browser how long the page takes to show an update, and that it
// shows how many there are.
func TestAThousandItemsKeepThePageResponsive(t *testing.T) {
	w := start(t, 1000, time.Hour, true)
	w.add(1000)
	b := open(t, w.address, 1200, 900)
	b.await("all are counted", `document.getElementById("tree").innerText.includes("1000 of 1000 workers busy")`)
	if rows := eval[int](b, inFlight); rows != 100 {
		t.Errorf("%d rows are shown, want 100", rows)
	}
	more := `[...document.querySelectorAll("#tree .more")].find((m) => !m.hidden && m.textContent.includes("and 900 more"))`
	b.await("the rest is counted", more)
	b.do(chromedp.Evaluate[chromedp.Void](more + ".click()"))
	b.await("all are shown when they are asked for", inFlight+" === 1000")
	took := eval[float64](b, `Number(document.body.dataset.rendered)`)
	// The same browser makes and lays out as many plain rows.
	plain := eval[float64](b, `(() => {
	  const began = performance.now(), list = document.createElement("ul");
	  for (let i = 0; i < 1000; i++) {
	    const row = document.createElement("li");
	    for (let j = 0; j < 5; j++) { const part = document.createElement("span"); part.textContent = "shop/map-" + i; row.append(part); }
	    list.append(row);
	  }
	  document.body.append(list);
	  list.getBoundingClientRect();
	  list.remove();
	  return performance.now() - began;
	})()`)
	t.Logf("an update of 1,000 rows takes %v ms in the browser, and 1,000 plain rows %v ms", took, plain)
	if took <= 0 || took > 50*max(plain, 1) {
		t.Errorf("an update of 1,000 rows takes %v ms, and 1,000 plain rows %v ms", took, plain)
	}
}

func TestEverythingHasANameAndTheKeyboardReachesIt(t *testing.T) {
	w := start(t, 4, time.Hour, true)
	w.add(3)
	b := open(t, w.address, 1200, 900)
	b.await("it shows the items", inFlight+" === 3")
	unnamed := eval[[]string](b, `[...document.querySelectorAll("button, a, input, summary, section, form, [role=region]")].filter((e) => {
	  const labelled = e.getAttribute("aria-label") || document.getElementById(e.getAttribute("aria-labelledby"))?.textContent ||
	    (e.labels && e.labels[0]?.textContent) || (e.matches("button, a, summary") && e.textContent.trim());
	  return !labelled && !e.hidden;
	}).map((e) => e.outerHTML.slice(0, 80))`)
	if len(unnamed) > 0 {
		t.Errorf("without a name: %q", unnamed)
	}
	reached := map[string]bool{}
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		reached[eval[string](b, "document.activeElement.id || document.activeElement.className || document.activeElement.tagName")] = true
	}
	for _, want := range []string{"object", "pause", "save"} {
		if !reached[want] {
			t.Errorf("the keyboard does not reach %s: %v", want, reached)
		}
	}
}

func TestANarrowWindowDoesNotScrollSideways(t *testing.T) {
	w := start(t, 4, time.Hour, true)
	w.add(3)
	b := open(t, w.address, 360, 700)
	b.await("it shows the items", inFlight+" === 3")
	if wide := eval[bool](b, "document.documentElement.scrollWidth > window.innerWidth"); wide {
		t.Error("it is wider than the window")
	}
}

// TestThePageIsNotBlank takes a picture and counts its colours.
func TestThePageIsNotBlank(t *testing.T) {
	w := start(t, 4, time.Hour, true)
	w.add(3)
	b := open(t, w.address, 1200, 900)
	b.await("it shows the items", inFlight+" === 3")
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	colours := map[any]int{}
	bounds := decoded.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y += 2 {
		for x := bounds.Min.X; x < bounds.Max.X; x += 2 {
			colours[decoded.At(x, y)]++
		}
	}
	if len(colours) < 30 {
		t.Errorf("it has %d colours", len(colours))
	}
}

func TestASavedPageShowsTheSameWithoutAServer(t *testing.T) {
	w := start(t, 4, time.Hour, true)
	w.add(3)
	b := open(t, w.address, 1200, 900)
	b.await("it shows the items", inFlight+" === 3")
	saved := eval[string](b, `(() => { const r = new XMLHttpRequest(); r.open("GET", "save", false); r.send(); return r.responseText; })()`)
	file := filepath.Join(t.TempDir(), "saved.html")
	if err := os.WriteFile(file, []byte(saved), 0o600); err != nil {
		t.Fatal(err)
	}
	alone := open(t, "file://"+file, 1200, 900)
	alone.await("it shows the items", inFlight+" === 3")
	alone.search("shop/map-0001")
	alone.await("and tells stories", `document.getElementById("story-text").textContent.includes("It is being reconciled since")`)
}

func TestOtherOriginsCannotReadThePage(t *testing.T) {
	w := start(t, 4, time.Hour, false)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<!doctype html>")) }))
	t.Cleanup(other.Close)
	b := open(t, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), 800, 600)
	b.expect("ERR_BLOCKED_BY_RESPONSE.NotSameOrigin") // the browser says that it was refused
	expression, err := json.Marshal(w.address + "snapshot")
	if err != nil {
		t.Fatal(err)
	}
	read := eval[string](b, `fetch(`+string(expression)+`, {mode: "no-cors"}).then((r) => r.type + " " + r.status, (e) => "refused")`)
	if read != "refused" && read != "opaque 0" {
		t.Errorf("another origin reads %q", read)
	}
}
