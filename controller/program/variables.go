// SPDX-License-Identifier: Apache-2.0

package program

import (
	"flag"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// variables are the environment variables of a program: one for each flag.
type variables struct {
	prefix string // WIDGET_OPERATOR_ for widget-operator
	flags  *flag.FlagSet
	of     map[string]string // flags' names by those of variables
}

// newVariables returns an error if two flags would have the same variable.
func newVariables(program string, flags *flag.FlagSet) (*variables, error) {
	v := &variables{prefix: spelled(program) + "_", flags: flags, of: map[string]string{}}
	var err error
	flags.VisitAll(func(f *flag.Flag) {
		name := v.name(f.Name)
		if other, taken := v.of[name]; taken && err == nil {
			err = fmt.Errorf(
				"the flags -%s and -%s would both have the variable %s: give one of them another name",
				other, f.Name, name,
			)
		}
		v.of[name] = f.Name
	})
	return v, err
}

// name returns the name of a flag's variable.
func (v *variables) name(flag string) string { return v.prefix + spelled(flag) }

// spelled writes a name as environment variables have them: upper case, and _ for what is neither a
// letter nor a digit.
func spelled(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// apply sets the flags that were not given from their variables.
func (v *variables) apply(environment map[string]string) error {
	given := map[string]bool{}
	v.flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		value := environment[name]
		if !strings.HasPrefix(name, v.prefix) || isURLOfService(name, value) {
			continue
		}
		switch flag, ok := v.of[name]; {
		case !ok && !isOfService(name):
			unknown = append(unknown, name)
		case ok && !given[flag]:
			if err := v.flags.Set(flag, value); err != nil {
				return fmt.Errorf("the variable %s is %q, which is no value for -%s: %w", name, value, flag, err)
			}
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("no flag has the variable %s: correct the name, or unset it",
			strings.Join(unknown, ", nor "))
	}
	return nil
}

// isOfService reports whether the kubelet may have set a variable, which it does for each Service of
// the namespace, also for one whose name begins with the program's. [isURLOfService] knows the rest.
func isOfService(name string) bool {
	return regexp.MustCompile(
		`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_PROTO|_PORT|_ADDR)?$`,
	).MatchString(name)
}

// isURLOfService reports whether a variable is such as WIDGET_OPERATOR_METRICS_PORT, which the kubelet
// sets to tcp://10.0.0.1:8080 if there is a Service widget-operator-metrics. A program may well have the
// flag -metrics-port, and someone may set this variable in error, so the value decides.
func isURLOfService(name, value string) bool {
	protocol, _, isURL := strings.Cut(value, "://")
	return strings.HasSuffix(name, "_PORT") && isURL &&
		slices.Contains([]string{"tcp", "udp", "sctp"}, protocol)
}
