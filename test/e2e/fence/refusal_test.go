// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// The Status that docs/fence.md shows is what a client receives.
func TestC18ARefusalIsAsDocumented(t *testing.T) {
	document, err := os.ReadFile("../../../docs/fence.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(document), "```json\n")
	example, _, _ := strings.Cut(rest, "```")

	e := newEnv(t, sample)
	lease := e.hold("b_3f7a2c1e")
	answer, _ := e.a.kube.CoreV1().RESTClient().Post().Namespace(e.objects).Resource("configmaps").
		SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").
		Body([]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"report"}}`)).Do(t.Context()).Raw()
	var refusal apierrors.StatusError
	if err := json.Unmarshal(answer, &refusal.ErrStatus); err != nil || !fenced(&refusal, sample) {
		t.Errorf("the answer is %s, %v", answer, err)
	}
	// The document shows some version instead of the real one.
	got := strings.ReplaceAll(string(answer), "resourceVersion="+lease.ResourceVersion+"]", "resourceVersion=4711]")
	if diff := cmp.Diff(fields(t, example), fields(t, got)); diff != "" {
		t.Error(diff)
	}
}

func fields(t *testing.T, text string) (fields map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return fields
}

func TestC18ARefusalSaysWhoHoldsTheLeaseAndWhoWrote(t *testing.T) {
	e := newEnv(t, sample)
	for _, c := range []struct {
		by       *writer
		identity string
		want     string
	}{
		{e.a, "b", `pod a does not hold it, pod b does; .* \[pod=a holderIdentity=b resourceVersion=\d+\]$`},
		{e.a, "", `pod a does not hold it, nobody does; .* \[pod=a holderIdentity= resourceVersion=\d+\]$`},
		{e.unbound, "b_1", `the token is not bound to a pod, pod b does; .* \[pod= holderIdentity=b_1 resourceVersion=\d+\]$`},
		{e.unbound, "", `the token is not bound to a pod, nobody does; .* \[pod= holderIdentity= resourceVersion=\d+\]$`},
	} {
		e.hold(c.identity)
		err := e.try(c.by)
		if !fenced(err, sample) || !regexp.MustCompile(`denied request: fenced by lease lanyard-system/sample-controller: `+c.want).MatchString(err.Error()) {
			t.Errorf("held by %q, %s is told: %v", c.identity, c.by.name, err)
		}
	}
}

// A holder that breaks the message does not break the fence.
func TestC18ALineBreakInTheHolderLeavesAPlainMessage(t *testing.T) {
	e := newEnv(t, sample)
	e.hold("a")
	identity := "b\nc"
	_, err := e.take(t.Context(), e.admin, &identity)
	e.must(err)
	e.eventually("the policy goes by the new holder", func() error {
		err := e.try(e.a)
		if err == nil || !apierrors.IsForbidden(err) || !strings.HasSuffix(err.Error(), "denied request: fenced by lease: the writer's pod does not hold it") {
			return errors.Join(errors.New("another answer"), err)
		}
		return nil
	})
}
