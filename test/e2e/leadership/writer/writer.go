// SPDX-License-Identifier: Apache-2.0

// Package writer is a controller that writes as much as it can for as long as it leads, without a
// precondition in any write: what must not happen twice at once would happen if it could.
package writer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/lanyard-k8s/lanyard/clientset/versioned"
	"github.com/lanyard-k8s/lanyard/controller"
	"github.com/lanyard-k8s/lanyard/controller/cause"
)

// Target is the label of the ConfigMaps that a writer reconciles, and Status the name of the Flunder whose
// status it writes.
const (
	Target = "leadership-test=target"
	Status = "status"
)

// Elector is whose leader election a process takes part in.
type Elector string

// The framework's is the default; the others are there to compare with.
const (
	Framework         Elector = ""
	ClientGo          Elector = "client-go"
	ControllerRuntime Elector = "controller-runtime"
)

// Options is what a writer is. They travel to other processes as JSON.
type Options struct {
	Agent     string // the user agent of its requests, which tells it from others in the API server's audit log
	Namespace string // where it writes
	Election  controller.LeaderElection
	Workers   int
	Pause     time.Duration // of an object after each reconcile
	Elector   Elector       // whose election it is; others than the framework's only elect, and write once

	// Stubborn has it write on contexts that do not end, several times in a row, through a layer of its own
	// that takes its time: nothing but the framework's transport can then keep it from writing.
	Stubborn bool
}

// Event is something that a writer tells.
type Event struct {
	What   string        // ready, leads, wrote (the first write of a term has been answered), lost, ended
	Term   int           // the number of the term
	How    cause.TermEnd // of lost
	Detail string
}

// Writer is a manager with leader election and a controller that writes.
type Writer struct {
	*controller.Manager
	options Options
	tell    func(Event)
	kube    kubernetes.Interface
	wardle  versioned.Interface
	writes  atomic.Int64
	wrote   atomic.Value // the resourceVersion of the last term in which a write succeeded; numbers begin anew with a Lease
}

// New makes a writer, which tells its events from several goroutines.
func New(config *rest.Config, options Options, tell func(Event)) *Writer {
	w := &Writer{options: options, tell: tell}
	w.wrote.Store("")
	config = Mark(config, options.Agent)
	if options.Stubborn {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &slow{next} })
	}
	election := options.Election
	w.Manager = controller.NewManager(config, controller.ManagerOptions{LeaderElection: &election})
	w.kube, w.wardle = kubernetes.NewForConfigOrDie(w.Config()), versioned.NewForConfigOrDie(w.Config())
	factory := controller.AddFactory(w.Manager, informers.NewSharedInformerFactoryWithOptions(w.kube, 0, informers.WithNamespace(options.Namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = Target })))
	controller.New(w.Manager, "writer", factory.Core().V1().ConfigMaps().TypedInformer(), w.reconcile, controller.Options{Workers: options.Workers})
	w.AddLeaderRunnable("told", w.lead)
	w.AddRunnable("ready", w.awaitReady)
	return w
}

// Mark gives requests an audit id that says in which term they were made, and the agent's name.
func Mark(config *rest.Config, agent string) *rest.Config {
	config = rest.CopyConfig(config)
	config.UserAgent, config.QPS = agent, -1
	var number atomic.Int64
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &marker{next: next, number: &number}
	})
	return config
}

type marker struct {
	next   http.RoundTripper
	number *atomic.Int64
}

func (m *marker) WrappedRoundTripper() http.RoundTripper { return m.next }

func (m *marker) RoundTrip(req *http.Request) (*http.Response, error) {
	term, _ := controller.TermFrom(req.Context())
	req = req.Clone(req.Context())
	req.Header.Set("Audit-ID", fmt.Sprintf("%d.%d.%d", term.Number, os.Getpid(), m.number.Add(1)))
	return m.next.RoundTrip(req)
}

// slow is a layer between the framework's and the connection, such as one that signs requests.
type slow struct{ next http.RoundTripper }

func (s *slow) WrappedRoundTripper() http.RoundTripper { return s.next }

func (s *slow) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		time.Sleep(10 * time.Millisecond)
	}
	return s.next.RoundTrip(req)
}

func (w *Writer) awaitReady(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for w.Ready() != nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
	w.tell(Event{What: "ready"})
	return nil
}

func (w *Writer) lead(ctx context.Context) error {
	term, _ := controller.TermFrom(ctx)
	w.tell(Event{What: "leads", Term: term.Number})
	<-ctx.Done()
	lost := Event{What: "lost", Term: term.Number, Detail: context.Cause(ctx).Error()}
	var ended *cause.TermEnded
	if errors.As(context.Cause(ctx), &ended) {
		lost.How = ended.How
	}
	w.tell(lost)
	return nil
}

func (w *Writer) reconcile(ctx context.Context, target *corev1.ConfigMap) (result controller.Result, err error) {
	if !w.options.Stubborn {
		return w.write(ctx, target)
	}
	for range 10 {
		if result, err = w.write(context.WithoutCancel(ctx), target); err != nil {
			break
		}
	}
	return result, err
}

// write writes in every way: a patch, a creation, a change of status, a deletion.
func (w *Writer) write(ctx context.Context, target *corev1.ConfigMap) (controller.Result, error) {
	term, _ := controller.TermFrom(ctx)
	n := w.writes.Add(1)
	by := fmt.Sprintf("%s#%d/%d", w.options.Agent, term.Number, n)
	maps := w.kube.CoreV1().ConfigMaps(w.options.Namespace)
	patch := []byte(`{"data":{"by":"` + by + `"}}`)
	if _, err := maps.Patch(ctx, target.Name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return controller.Result{}, err
	}
	if w.wrote.Swap(term.ResourceVersion) != term.ResourceVersion {
		w.tell(Event{What: "wrote", Term: term.Number})
	}
	made := fmt.Sprintf("made-%d-%d-%d", os.Getpid(), term.Number, n)
	if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: made}}, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return controller.Result{}, err
	}
	status := []byte(fmt.Sprintf(`{"status":{"observedGeneration":%d}}`, n))
	if _, err := w.wardle.WardleV1beta1().Flunders(w.options.Namespace).Patch(ctx, Status, types.MergePatchType, status, metav1.PatchOptions{}, "status"); err != nil {
		return controller.Result{}, err
	}
	if err := maps.Delete(ctx, made, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return controller.Result{}, err
	}
	return controller.Result{RequeueAfter: max(w.options.Pause, time.Millisecond)}, nil
}
