// SPDX-License-Identifier: Apache-2.0

package container

import (
	"runtime"
	"testing"
	"testing/fstest"
)

// procOf is a /proc in which the first process has this name and start.
func procOf(boot, name, start string) fstest.MapFS {
	stat := "1 (" + name + ") S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 " + start + " 1000 200 18446744073709551615\n"
	return fstest.MapFS{
		"sys/kernel/random/boot_id": {Data: []byte(boot + "\n")},
		"1/stat":                    {Data: []byte(stat)},
	}
}

func TestARunOfAContainerIsKnownByTheBootAndByTheStartOfItsFirstProcess(t *testing.T) {
	one := instanceOf(procOf("boot-1", "manager", "4711"))
	if one == "" {
		t.Fatal("it is not known")
	}
	for name, test := range map[string]struct {
		proc fstest.MapFS
		same bool
	}{
		"the same run":                    {procOf("boot-1", "manager", "4711"), true},
		"a name with what separates":      {procOf("boot-1", "a) S (b 1 2 3", "4711"), true},
		"the next run":                    {procOf("boot-1", "manager", "4712"), false},
		"the same moment of another boot": {procOf("boot-2", "manager", "4711"), false},
	} {
		if got := instanceOf(test.proc); got == "" || (got == one) != test.same {
			t.Errorf("%s: %q, the first is %q", name, got, one)
		}
	}
}

func TestARunOfAContainerIsNotKnownWhereTheKernelDoesNotSay(t *testing.T) {
	noBoot := procOf("boot-1", "manager", "4711")
	delete(noBoot, "sys/kernel/random/boot_id")
	noStat := procOf("boot-1", "manager", "4711")
	delete(noStat, "1/stat")
	short := procOf("boot-1", "manager", "4711")
	short["1/stat"] = &fstest.MapFile{Data: []byte("1 (manager) S 0 1")}
	for name, proc := range map[string]fstest.MapFS{
		"no boot": noBoot, "no process": noStat, "other fields": short,
		"a start of zero": procOf("boot-1", "manager", "0"),
	} {
		if got := instanceOf(proc); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestThisProcessKnowsTheRunOfItsContainer(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says it")
	}
	t.Logf("%q", Instance())
	if first, again := Instance(), Instance(); first != again {
		t.Error("it is not the same when it is asked for twice")
	}
}
