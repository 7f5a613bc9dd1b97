package scale

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Table is Markdown.
func Table(all []Measured) string {
	var b strings.Builder
	b.WriteString("| | " + row(all, func(m Measured) string { return fmt.Sprintf("%d routes", m.Routes) }))
	b.WriteString("|---|" + strings.Repeat("---:|", len(all)) + "\n")
	line := func(name string, cell func(Measured) string) { b.WriteString("| " + name + " | " + row(all, cell)) }

	line("listeners", func(m Measured) string { return fmt.Sprint(m.Listeners) })
	line("time to create the routes", func(m Measured) string { return seconds(m.Applying) })
	line("from the last one to the last status written", func(m Measured) string { return seconds(m.Written) })
	line("memory of the replica that writes", func(m Measured) string { return fmt.Sprintf("%d MiB", m.Memory[0]) })
	line("memory of the other", func(m Measured) string { return fmt.Sprintf("%d MiB", m.Memory[1]) })
	line("endpoints changed to first connection: median", func(m Measured) string { return milliseconds(m.Follows[len(m.Follows)/2]) })
	line("the same: worst", func(m Measured) string { return milliseconds(m.Follows[len(m.Follows)-1]) })
	line("processor time for such a change", func(m Measured) string { return milliseconds(m.Processor) })
	kinds := map[string]bool{}
	for _, m := range all {
		for kind := range m.Requests.ByKind {
			kinds[kind] = true
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		line("requests: "+kind, func(m Measured) string {
			cell := fmt.Sprint(m.Requests.ByKind[kind])
			if most := m.Requests.Most[kind]; strings.HasSuffix(kind, "/status") && most > 0 {
				cell += fmt.Sprintf(" (at most %d of one object)", most)
			}
			return cell
		})
	}
	return b.String()
}

func row(all []Measured, cell func(Measured) string) string {
	cells := []string{}
	for _, m := range all {
		cells = append(cells, cell(m))
	}
	return strings.Join(cells, " | ") + " |\n"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
