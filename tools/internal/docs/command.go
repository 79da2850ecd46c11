// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
)

// comment is what follows a command on its line.
var comment = regexp.MustCompile(`\s+# .*$`)

// Commands returns the commands of a block in the form of a console: the lines that begin with "$ ", each
// with the lines that a backslash continues it on, and without a comment. What else is there is output.
func Commands(block *Block) (commands []string) {
	if block.Language != "console" {
		return nil
	}
	continued := false
	for line := range strings.Lines(block.Text) {
		line = strings.TrimRight(line, "\n")
		begun, isCommand := strings.CutPrefix(line, "$ ")
		if !isCommand && !continued {
			continue
		}
		line, continues := strings.CutSuffix(comment.ReplaceAllString(begun, ""), `\`)
		line = strings.TrimSpace(line)
		if continued {
			commands[len(commands)-1] += " " + line
		} else {
			commands = append(commands, line)
		}
		continued = continues
	}
	return commands
}
