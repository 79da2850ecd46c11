// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// command says where the commands that match a pattern are run: by a file that has a text, the name of a
// test or a step of CI; or why nothing runs them.
type command struct {
	pattern   string
	file, has string
	because   string
	ofProject bool // it is a command of a project that `lanyard init` makes
}

var known = []command{
	{pattern: `make test`, file: ".ci/run", has: "make test"},
	{pattern: `make run`, file: "test/e2e/demo/demo_test.go",
		has: "func TestOnceShowsReadyFlundersAndTouchesNoClusterThatOnlyHappensToBeExported("},
	{pattern: `make bench( (QUICK|PLOTS)=1)?( ONLY=\S+)?( ROUNDS=\d+)?( PROGRAMS=\S+)?`, file: "test/bench/bench_test.go",
		has: "func TestEachProgramPassesEachWorkload("},
	{pattern: `make faults( OBJECTS=\d+)?`, file: "test/e2e/faults/faults_test.go",
		has: "func TestC19TheFaultsOfStaleCachesHappenOnBareClientGoAndNotOnLanyard("},
	{pattern: `make image IMAGE=\S+`, file: "test/e2e/image/image_test.go",
		has: "func TestTheImageHoldsTheBinaryAndNothingElse("},
	{pattern: `docker push \S+`, because: "it needs a registry"},
	{pattern: `kubectl apply -k \S+`, file: "test/e2e/manifests/cluster_test.go", has: "func TestAClusterTakesTheManifests("},

	{pattern: `git clone \S+ && cd lanyard`, because: "it is how this checkout was made"},
	{pattern: `go test \./controller/\.\.\.`, file: "Makefile", has: "go test -race ./..."},
	{pattern: `go test -run Allocations \./controller/\.\.\.`, file: "Makefile", has: "go test -run Allocations ./controller/..."},
	{pattern: `(cd test/bench && )?go test -run '\^\$' -bench \. .*`, because: "vet compiles benchmarks; people measure"},
	{pattern: `go test -C test/e2e \./tracing -count=1 -run Test(Picture|Record) -(picture|record) \S+`,
		because: "they make files for the docs; without the flag the tests are skipped"},
	{pattern: `go run -C test/dashboard \. -record \S+ -picture \S+`, because: "it draws a picture for the docs"},
	{pattern: `go get github\.com/lanyard-k8s/lanyard(/\S+)?@main.*`, file: "tools/internal/modules/modules_test.go",
		has: "func TestEachModuleOfAReleaseIsBuiltAndTestedFromAnEmptyModule("},
	{pattern: `cd test/controlplane && go run \./cmd/controlplane up -nodes 1 .*`, file: "test/controlplane/cluster_test.go",
		has: "func TestADeploymentBecomesAvailableOnASimulatedNodeAndStopLeavesNothing("},
	{pattern: `go run \./cmd/controlplane up -controllers \S+`, file: "test/controlplane/cmd/controlplane/main_test.go",
		has: "func TestControllersAreTheDefaultOnesAFullListOrMore("},

	{pattern: `go test -run '\^TestFaults\$' -fault='.*'`, file: "test/e2e/faulttest/planted_test.go",
		has: "func TestEachPlantedBugIsFoundByItsOracle("},
	{pattern: `go test \./\w+`, file: "Makefile", has: "go test -C examples -race"},
	{pattern: `go run \./\w+/cmd`, because: "it needs a cluster; the example's test runs the same set-up"},
	{pattern: `flunder-controller -plan -kubeconfig \S+`, file: "test/e2e/dryrun/sample_test.go",
		has: "func TestC33TheSamplePrintsWhatItWouldDo("},
	{pattern: `go install github\.com/lanyard-k8s/lanyard/cmd/lanyard@latest`, because: "it needs a release"},
	{pattern: `lanyard (top|why) .*`, file: "cmd/lanyard/internal/command/live_test.go",
		has: "func TestTopPrintsTheTreeOnceWithoutColoursIntoAFile("},
	{pattern: `flunder-controller -page-addr \S+`, file: "controller/program/servers_test.go",
		has: "func TestThePageIsServedOnALoopbackAddress("},
	{pattern: `kubectl -n \S+ port-forward .*`, because: "it needs a cluster with a kubelet"},
	{pattern: `lanyard init \S+ --group \S+ --kind \w+|cd widget-operator`, file: "test/e2e/newproject/newproject_test.go",
		has: `"init", `},
	{pattern: `lanyard add (kind|controller) \S+.*`, file: "cmd/lanyard/internal/command/add_test.go",
		has: "func TestAddWorksInAFolderBelowAndListsWhatItWrote("},
	{pattern: `make deploy IMAGE=\S+`, because: "it needs a cluster", ofProject: true},
	{pattern: `go get github\.com/lanyard-k8s/lanyard/telemetry`, file: "tools/internal/modules/modules_test.go",
		has: "func TestEachModuleOfAReleaseIsBuiltAndTestedFromAnEmptyModule("},
	{pattern: `echo \$\?`, because: "the command before it is what matters"},
}

// rowOf returns the row of the table for a command.
func rowOf(text string) (row int, ok bool) {
	row = slices.IndexFunc(known, func(c command) bool {
		return regexp.MustCompile(`^(?:` + c.pattern + `)$`).MatchString(text)
	})
	return row, row >= 0
}

// TestEachCommandOfThePagesIsRunSomewhere because a command that nobody runs is wrong sooner or later. Each
// row of the table is used, and says what is so.
func TestEachCommandOfThePagesIsRunSomewhere(t *testing.T) {
	used := map[int]bool{}
	for _, page := range pages(t) {
		for i := range page.Blocks {
			for _, text := range Commands(&page.Blocks[i]) {
				row, ok := rowOf(text)
				if !ok {
					t.Errorf("%s:%d: nothing runs this command, or it is not in the table of commands_test.go: %s",
						page.Path, page.Blocks[i].Line, text)
				}
				used[row] = true
			}
		}
	}
	for i, c := range known {
		if !used[i] {
			t.Errorf("no page has a command that matches %s: remove it from the table", c.pattern)
		}
		if (c.because == "") == (c.file == "") {
			t.Errorf("%s: the table says either where it is run, or why not", c.pattern)
		}
		if c.file != "" && !strings.Contains(string(read(t, c.file)), c.has) {
			t.Errorf("%s is run by %s, which does not have %q", c.pattern, c.file, c.has)
		}
	}
}

// TestTheTargetsOfMakeInThePagesAreThere has make say what it would do for each of them, and does nothing of it.
func TestTheTargetsOfMakeInThePagesAreThere(t *testing.T) {
	asked := map[string]bool{}
	for _, page := range pages(t) {
		for i := range page.Blocks {
			for _, text := range Commands(&page.Blocks[i]) {
				if row, ok := rowOf(text); ok && known[row].ofProject {
					continue
				}
				if words := strings.Fields(text); words[0] == "make" && !asked[text] {
					asked[text] = true
					dry := exec.CommandContext(t.Context(), "make", append([]string{"-n"}, words[1:]...)...)
					dry.Dir = root
					if out, err := dry.CombinedOutput(); err != nil {
						t.Errorf("%s: %s: %v\n%s", page.Path, text, err, out)
					}
				}
			}
		}
	}
	if len(asked) == 0 {
		t.Error("no page has one")
	}
}

// TestThePackagesThatThePagesTestAndRunAreThere looks from the page's folder, its module and the root.
func TestThePackagesThatThePagesTestAndRunAreThere(t *testing.T) {
	named := regexp.MustCompile(`(?:^|&& )go (?:test|run)(?: -C (\S+))?.*? (\./\S+)`)
	for _, page := range pages(t) {
		for i := range page.Blocks {
			for _, text := range Commands(&page.Blocks[i]) {
				found := named.FindStringSubmatch(text)
				if found == nil {
					continue
				}
				pattern := filepath.Join(found[1], strings.TrimSuffix(found[2], "/..."))
				for _, from := range []string{path.Dir(page.Path), path.Dir(path.Dir(page.Path)), ".", "test/controlplane"} {
					if there, _ := filepath.Glob(filepath.Join(root, from, pattern, "*.go")); len(there) > 0 {
						pattern = ""
						break
					}
				}
				if pattern != "" {
					t.Errorf("%s:%d: there is no Go package %s", page.Path, page.Blocks[i].Line, pattern)
				}
			}
		}
	}
}

func TestABlockOfAConsoleHasCommandsAndOutput(t *testing.T) {
	block := &Block{Language: "console", Text: "$ make run     # a comment\nsome output # of it\n$ go get a \\\n    b@main # both\n$ echo $?\n2\n"}
	want := []string{"make run", "go get a b@main", "echo $?"}
	if got := Commands(block); !slices.Equal(got, want) {
		t.Errorf("the commands are %q, want %q", got, want)
	}
	if got := Commands(&Block{Language: "go", Text: "$ no command\n"}); got != nil {
		t.Errorf("a block of Go has %q", got)
	}
}
