// SPDX-License-Identifier: Apache-2.0

package election

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	coordinationv1client "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
)

// TestARaceForTheLeaseIsNoErrorInTheLog has three who try to create the lease at once, and the
// other two to take it when the first has resigned.
func TestARaceForTheLeaseIsNoErrorInTheLog(t *testing.T) {
	var all string
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			log := &bytes.Buffer{}
			ctx := logTo(t.Context(), log)
			store := newStore()
			var racing sync.WaitGroup
			for number := range 3 {
				c := newCandidate(
					number,
					&network{
						store:   store,
						process: &process{number: number, rate: 1, start: time.Now()},
						rand:    rand.New(rand.NewPCG(seed, uint64(number))),
						scale:   time.Second,
					},
				)
				racing.Go(func() { leadOnce(ctx, t, c) })
			}
			racing.Wait()
			if strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("seed %d: the log of a race has errors:\n%s", seed, log)
			}
			all += log.String()
		})
	}
	// What would be an error, had it not been expected, did happen.
	for _, text := range []string{
		"already exists", "the object has been modified",
		"Failed to update lease", "Error initially creating lease lock",
	} {
		if !strings.Contains(all, text) {
			t.Errorf("no log of a race says %q", text)
		}
	}
}

func TestATryThatIsReplacedIsNoErrorInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &bytes.Buffer{}
		ctx, cancel := context.WithCancel(logTo(t.Context(), log))
		server := &hanging{}
		c := newCandidate(0, server)
		var campaign sync.WaitGroup
		campaign.Go(func() { _, _ = c.Campaign(ctx) })
		synctest.Wait()
		c.state.retryNow()
		synctest.Wait()
		if text := log.String(); server.asked != 2 || strings.Contains(text, "level=ERROR") ||
			!strings.Contains(text, context.Canceled.Error()) {
			t.Errorf(
				"the server was asked %d times, and the log has an error, or nothing of the first:\n%s",
				server.asked,
				text,
			)
		}
		cancel()
		campaign.Wait()
	})
}

func TestAServerThatRefusesOrCannotBeReachedIsAnErrorInTheLog(t *testing.T) {
	for text, err := range map[string]error{
		"is forbidden":             apierrors.NewForbidden(leases, "lease", errors.New("no rights")),
		"connection reset by peer": errBroken,
		"etcd is gone":             apierrors.NewInternalError(errors.New("etcd is gone")),
	} {
		for verb, server := range map[string]*refusing{"get": {get: err}, "create": {write: err}} {
			t.Run(verb+": "+text, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					log := &bytes.Buffer{}
					ctx, cancel := context.WithTimeout(logTo(t.Context(), log), 10*time.Second)
					defer cancel()
					if renewal, err := newCandidate(0, server).Campaign(ctx); renewal != nil ||
						err == nil {
						t.Errorf("it is elected: %v, %v", renewal, err)
					}
					if !regexp.MustCompile("level=ERROR .*" + text).MatchString(log.String()) {
						t.Errorf("the log has no error that says %q:\n%s", text, log)
					}
				})
			})
		}
	}
}

// An account that may not read the Lease is told at once. One that could before waits: its permissions may be changing.
func TestAnAccountThatCouldReadTheLeaseBeforeWaitsForItsPermissions(t *testing.T) {
	forbidden := apierrors.NewForbidden(leases, "lease", errors.New("no rights"))
	held := &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
		HolderIdentity: ptr.To("somebody"), LeaseDurationSeconds: ptr.To[int32](15), RenewTime: ptr.To(metav1.NowMicro()),
	}}
	for name, before := range map[string]*coordinationv1.Lease{"not before": nil, "before": held} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(logTo(t.Context(), &bytes.Buffer{}), time.Minute)
				defer cancel()
				began := time.Now()
				_, err := newCandidate(0, &changing{refusing{get: forbidden}, before}).Campaign(ctx)
				if waits := time.Since(began) >= time.Minute; err == nil || waits != (before != nil) {
					t.Errorf("the campaign ends after %v with %v", time.Since(began), err)
				}
			})
		})
	}
}

// changing gives the Lease once, if there is one, and then refuses.
type changing struct {
	refusing
	first *coordinationv1.Lease
}

func (c *changing) Leases(string) coordinationv1client.LeaseInterface { return c }

func (c *changing) Get(ctx context.Context, name string, o metav1.GetOptions) (*coordinationv1.Lease, error) {
	if first := c.first; first != nil {
		c.first = nil
		return first, nil
	}
	return c.refusing.Get(ctx, name, o)
}

// logTo has all of the framework's log and client-go's go to a buffer, which the handler locks.
func logTo(ctx context.Context, log *bytes.Buffer) context.Context {
	return klog.NewContext(
		ctx,
		logr.FromSlogHandler(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.Level(-4)})),
	)
}

// configFor has the default times, and an identity that is the number.
func configFor(number int, client coordinationv1client.LeasesGetter) Config {
	config := timings[3]
	config.Lease = types.NamespacedName{Namespace: "default", Name: "lease"}
	config.Identity = fmt.Sprint(number)
	config.Clock = (&process{rate: 1, start: time.Now()}).clock
	config.Client = client
	return config
}

func newCandidate(number int, client coordinationv1client.LeasesGetter) *Candidate {
	return New(configFor(number, client))
}

// leadOnce campaigns, leads for a while, and resigns.
func leadOnce(ctx context.Context, t *testing.T, c *Candidate) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { _ = c.WatchLease(ctx) })
	renewal, err := c.Campaign(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	time.Sleep(time.Minute)
	if err := renewal.Release(ctx); err != nil {
		t.Error(err)
	}
}

// hanging is a server that does not answer.
type hanging struct {
	coordinationv1client.LeaseInterface // nil: what is not below is not used
	asked                               int
}

func (h *hanging) Leases(string) coordinationv1client.LeaseInterface { return h }

func (h *hanging) Get(
	ctx context.Context,
	_ string,
	_ metav1.GetOptions,
) (*coordinationv1.Lease, error) {
	h.asked++ // one elector at a time
	<-ctx.Done()
	return nil, ctx.Err()
}

// refusing is a server with no lease, which gives errors.
type refusing struct {
	coordinationv1client.LeaseInterface // nil: what is not below is not used
	get, write                          error
}

func (r *refusing) Leases(string) coordinationv1client.LeaseInterface { return r }

func (r *refusing) Get(
	_ context.Context,
	name string,
	_ metav1.GetOptions,
) (*coordinationv1.Lease, error) {
	if r.get == nil {
		return nil, apierrors.NewNotFound(leases, name)
	}
	return nil, r.get
}

func (r *refusing) Create(
	context.Context,
	*coordinationv1.Lease,
	metav1.CreateOptions,
) (*coordinationv1.Lease, error) {
	return nil, r.write
}
