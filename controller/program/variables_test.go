// SPDX-License-Identifier: Apache-2.0

package program_test

import (
	"strings"
	"testing"
)

func TestAVariableSetsAFlagAndAFlagWins(t *testing.T) {
	for words, want := range map[string]int{
		"":                                     3,
		"WIDGET_OPERATOR_SIZE=5":               5,
		"WIDGET_OPERATOR_SIZE=5 -size=7":       7,
		"WIDGET_OPERATOR_SIZE=broken -size=7":  7,
		"WIDGET_OPERATOR_SIZE=5 WIDGET_SIZE=9": 5,
		"WIDGET_OPERATOR_SIZE=5 WIDGET_OPERATOR_SIZE=9":             5,
		"SIZE=9 size=9 widget_operator_size=9":                      3,
		"WIDGET_OPERATOR_STRAGGLER_STACKS=true":                     3,
		"WIDGET_OPERATOR_DRAIN_TIMEOUT=1s":                          3,
		"WIDGET_OPERATOR_KUBECONFIG= -size=4":                       4,
		"WIDGET_OPERATORS=9 WIDGET_OPERATOR=1":                      3,
		"WIDGET_OPERATOR_SERVICE_HOST=10.0.0.1":                     3,
		"WIDGET_OPERATOR_SERVICE_PORT=443":                          3,
		"WIDGET_OPERATOR_SERVICE_PORT_HTTPS=443":                    3,
		"WIDGET_OPERATOR_PORT=tcp://10.0.0.1:443":                   3,
		"WIDGET_OPERATOR_PORT_443_TCP=tcp://10.0.0.1:443":           3,
		"WIDGET_OPERATOR_PORT_443_TCP_PROTO=tcp":                    3,
		"WIDGET_OPERATOR_PORT_443_TCP_PORT=443":                     3,
		"WIDGET_OPERATOR_PORT_443_TCP_ADDR=10.0.0.1":                3,
		"WIDGET_OPERATOR_METRICS_SERVICE_HOST=10.0.0.1":             3,
		"WIDGET_OPERATOR_METRICS_PORT=tcp://10.0.0.1:8080":          3,
		"WIDGET_OPERATOR_METRICS_PORT_8080_UDP=udp://10.0.0.1:8080": 3,
	} {
		t.Run(words, func(t *testing.T) {
			var args, environment []string
			for _, word := range strings.Fields(words) {
				if strings.HasPrefix(word, "-") {
					args = append(args, word)
				} else {
					environment = append(environment, word)
				}
			}
			if got, err := settings(t, environment, args...); err != nil || got != want {
				t.Errorf("the size is %d, want %d: %v", got, want, err)
			}
		})
	}
}

func TestAVariableThatIsWrongIsAnErrorThatNamesIt(t *testing.T) {
	for variables, want := range map[string][]string{
		"WIDGET_OPERATOR_SIZE=big":              {"WIDGET_OPERATOR_SIZE", `"big"`, "-size", "-help lists the flags"},
		"WIDGET_OPERATOR_SIZE=":                 {"WIDGET_OPERATOR_SIZE", `""`},
		"WIDGET_OPERATOR_LEADER_ELECT=yes":      {"WIDGET_OPERATOR_LEADER_ELECT", `"yes"`, "-leader-elect"},
		"WIDGET_OPERATOR_LEADER_ELEC=true":      {"WIDGET_OPERATOR_LEADER_ELEC", "no flag has", "-help lists the flags"},
		"WIDGET_OPERATOR_METRICS_PORT=8080":     {"WIDGET_OPERATOR_METRICS_PORT"},
		"WIDGET_OPERATOR_PORT_OF_METRICS=8080":  {"WIDGET_OPERATOR_PORT_OF_METRICS"},
		"WIDGET_OPERATOR_A=1 WIDGET_OPERATOR_B": {"WIDGET_OPERATOR_A", "WIDGET_OPERATOR_B"},
		"WIDGET_OPERATOR_HELP=true":             {"WIDGET_OPERATOR_HELP"},
		"WIDGET_OPERATOR_SIZ=tcp://10.0.0.1:80": {"WIDGET_OPERATOR_SIZ"},
		"WIDGET_OPERATOR_Size=5":                {"WIDGET_OPERATOR_Size"},
		"WIDGET_OPERATOR_LOG_FORMAT=xml":        {`unknown log format "xml"`},
	} {
		t.Run(variables, func(t *testing.T) {
			_, err := settings(t, strings.Fields(variables))
			wantError(t, err, want...)
		})
	}
}
