// Package excerpt shows the line of a file that holds a mistake.
package excerpt

import (
	"fmt"
	"strings"
)

// Of shows a source line with a mark under the column; line and column count
// from 1, the column in bytes. It is "" where the line is not known.
func Of(source string, line, column int) string {
	if source == "" || line == 0 {
		return ""
	}
	var pad strings.Builder
	for i := range source {
		if i >= column-1 {
			break
		}
		pad.WriteByte(' ')
	}
	// A tab would not be as wide in a message as what stands for it.
	source = strings.ReplaceAll(source, "\t", " ")
	return fmt.Sprintf("%5d | %s\n      | %s^", line, source, pad.String())
}
