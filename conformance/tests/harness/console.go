package harness

import (
	"fmt"
	"strings"
)

// Commands finds what a reader of a Markdown page would type: in the section under this heading, the
// lines that begin with `$ ` in blocks of the language `console`, with the lines that continue them.
func Commands(page, heading string) ([]string, error) {
	var commands []string
	level, inside, block, fenced, continued := 0, false, false, false, false
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			block = fenced && line == "```console"
			continued = false
		case !fenced && strings.HasPrefix(line, "#"):
			hashes := len(line) - len(strings.TrimLeft(line, "#"))
			if strings.TrimSpace(line[hashes:]) == heading {
				level, inside = hashes, true
			} else if hashes <= level {
				inside = false
			}
		case !inside || !block:
		case continued:
			commands[len(commands)-1] += "\n" + line
			continued = strings.HasSuffix(line, `\`)
		case strings.HasPrefix(line, "$ "):
			commands = append(commands, line[2:])
			continued = strings.HasSuffix(line, `\`)
		}
	}
	if len(commands) == 0 {
		return nil, fmt.Errorf("no console block with commands under a heading %q", heading)
	}
	return commands, nil
}
