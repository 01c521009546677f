package exposure

import (
	"strings"
	"time"

	gocvss40 "github.com/pandatix/go-cvss/40"
	"go.yaml.in/yaml/v3"
)

// vector reads a CVSS 4.0 vector and computes its score (CVSS 4.0
// specification, Section 8). Metrics stand in the order of its Section 7, each
// once, so that equal vectors are written alike.
func (d *document) vector(n *yaml.Node) (vector string, score float64) {
	text := d.text(n, "cvss")
	v, err := gocvss40.ParseVector(text)
	if err != nil {
		d.fail(n, "write CVSS:4.0/AV:N/... with all base metrics in the order of the specification",
			"cvss is %s, want a CVSS 4.0 vector: %s", shown(n), strings.ToLower(err.Error()))
		return "", 0
	}
	return v.Vector(), v.Score()
}

// reviewed reads when a rule was last reviewed. Rules of a version can't have
// been reviewed after its month.
func (d *document) reviewed(n *yaml.Node) time.Time {
	t := d.date(n, "write the day of the last review as YYYY-MM-DD", "reviewed")
	month, err := time.Parse("2006.01", RulesVersion)
	if err == nil && !t.Before(month.AddDate(0, 1, 0)) {
		d.fail(n, "raise RulesVersion together with the rules", "reviewed is %s, after the rules of %s", shown(n), RulesVersion)
	}
	return t
}
