package sarif

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// SecuritySeverity returns the score of a rule in GitHub's format: a number as a
// string, in the band of the rule's severity. Info has none and is shown as a
// note.
func SecuritySeverity(r *result.RuleInfo) string {
	if r.Severity <= result.SeverityInfo {
		return ""
	}
	lowest, highest := r.Severity.Scores()
	score := r.Score
	if score == 0 {
		score = (lowest + highest) / 2
	}
	return strconv.FormatFloat(min(max(score, lowest), highest), 'f', 1, 64)
}

// rule returns the descriptor of a rule (3.49).
func (b *sarifBuilder) rule(r *result.RuleInfo) sarifRule {
	w := sarifRule{
		ID:      r.ID,
		Name:    r.Name,
		Short:   &sarifText{Text: sanitize.Text(words.Sentence(r.Title), sarifMaxText)},
		Full:    &sarifText{Text: sanitize.Block(cmp.Or(r.Why, words.Sentence(r.Title)), sarifMaxText)},
		Help:    &sarifText{Text: helpText(r), Markdown: helpMarkdown(r)},
		Default: &sarifDefault{Level: view.Level(r.Severity)},
		Properties: &sarifRuleProps{
			Tags:      ruleTags(r),
			Precision: "high", // rules rest on behavior, not on port numbers
			Severity:  SecuritySeverity(r),
		},
	}
	if len(r.References) > 0 {
		w.HelpURI = r.References[0]
	}
	for _, cwe := range r.CWE {
		w.Relationships = append(w.Relationships, sarifRelation{Target: b.taxon(cwe), Kinds: []string{"superset"}})
	}
	return w
}

// ruleTags returns at most 20 tags, including those of the weaknesses.
func ruleTags(r *result.RuleInfo) []string {
	tags := []string{}
	if r.Severity != result.SeverityInfo {
		tags = append(tags, "security") // required by GitHub for reading the score
	}
	for _, cwe := range r.CWE {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%03d", cwe))
	}
	for _, t := range r.Tags {
		if !slices.Contains(tags, t) {
			tags = append(tags, t)
		}
	}
	return tags[:min(len(tags), sarifMaxTags)]
}

func helpText(r *result.RuleInfo) string {
	text := strings.TrimSpace(r.Why + "\n\n" + r.Fix)
	return cmp.Or(text, words.Sentence(r.Title))
}

// helpMarkdown returns the help of a rule; if it has none, its reason and fix.
func helpMarkdown(r *result.RuleInfo) string {
	if r.Help != "" {
		return r.Help
	}
	var b strings.Builder
	if r.Why != "" {
		fmt.Fprintf(&b, "### Why it matters\n%s\n\n", r.Why)
	}
	if r.Fix != "" {
		fmt.Fprintf(&b, "### Fix\n%s\n\n", r.Fix)
	}
	fmt.Fprintf(&b, "### Accept the risk\nAdd an entry for `%s` with `id`, `reason`, `owner` and `expires` under `accept:` in `mxsweep.yaml`.\n", r.ID)
	for i, ref := range r.References {
		if i == 0 {
			b.WriteString("\n### References\n")
		}
		fmt.Fprintf(&b, "- <%s>\n", ref)
	}
	return b.String()
}

func (b *sarifBuilder) taxon(cwe int) sarifTaxonRef {
	i, _ := slices.BinarySearch(b.taxa, cwe)
	return sarifTaxonRef{
		ID: "CWE-" + strconv.Itoa(cwe), Index: i,
		Component: sarifToolRef{Name: "CWE", Index: 0},
	}
}

func (b *sarifBuilder) taxonomy() sarifComponent {
	c := sarifComponent{
		Name: "CWE", Organization: "MITRE",
		Short: &sarifText{Text: "The MITRE Common Weakness Enumeration."},
	}
	for _, n := range b.taxa {
		c.Taxa = append(c.Taxa, sarifRule{
			ID:      "CWE-" + strconv.Itoa(n),
			HelpURI: fmt.Sprintf("https://cwe.mitre.org/data/definitions/%d.html", n),
		})
	}
	return c
}

// ofPolicy reports whether a notice is about the configuration (3.20.21)
// rather than the execution.
func ofPolicy(code string) bool {
	switch code {
	case exposure.NoticeAcceptanceExpired, exposure.NoticeAcceptanceSoon, exposure.NoticeAcceptanceUnused,
		exposure.NoticeBaseline, exposure.NoticeExpectedMissing, exposure.NoticeNothingInScope:
		return true
	}
	return false
}

// invocation returns the result of the run, with the notices and their
// descriptors.
func (b *sarifBuilder) invocation(sum result.Summary) (sarifInvocation, []sarifRule) {
	v := b.c.Brief(sum)
	inv := sarifInvocation{
		Successful:      !sum.Partial(),
		ExitCode:        sum.ExitCode,
		ExitDescription: words.Sentence(v.Verdict()),
		Start:           b.c.Run.StartTime,
		End:             b.c.Run.EndTime,
		CommandLine:     words.CommandLine(b.c.Run.Args),
	}
	notices := b.c.Notices
	if b.left != "" {
		notices = append(slices.Clip(notices), result.Notice{Code: view.NoticeLeftOut, Level: "warning", Message: b.left})
		view.SortNotices(notices)
	}
	var descriptors []sarifRule
	for _, n := range notices {
		if len(descriptors) == 0 || descriptors[len(descriptors)-1].ID != n.Code {
			descriptors = append(descriptors, noticeRule(n))
		}
		w := sarifNotification{
			Descriptor: sarifDescriptorRef{n.Code, len(descriptors) - 1},
			Level:      string(n.Level),
			Message:    sarifText{Text: plainSARIF(n.Message)},
		}
		if n.Anchor != nil {
			w.Locations = []sarifLocation{{Physical: b.physical(n.Anchor)}}
		}
		if ofPolicy(n.Code) {
			inv.Configuration = append(inv.Configuration, w)
		} else {
			inv.Execution = append(inv.Execution, w)
		}
	}
	return inv, descriptors
}

func noticeRule(n result.Notice) sarifRule {
	k := view.NoticeKindOf(n.Code)
	r := sarifRule{ID: n.Code, Name: k.Name, Default: &sarifDefault{Level: string(n.Level)}}
	for _, t := range []struct {
		to   **sarifText
		text string
	}{{&r.Short, k.Title}, {&r.Full, k.Why}, {&r.Help, k.Help}} {
		if t.text != "" {
			*t.to = &sarifText{Text: t.text}
		}
	}
	return r
}
