package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// newRules is "mxsweep rules".
func newRules(s *session) *cobra.Command {
	var asJSON, markdown bool
	cmd := &cobra.Command{
		Use:   "rules [ID...|WORD...]",
		Short: "explain the rules: reason, severity, fix, how to accept the risk",
		Long: `Lists all rules, or explains those whose IDs are given. Other words are searched
for in the rules, with their software and fixes, and in the notices; those that
contain all words are listed. The codes of notices (MXS9...) are explained, too.`,
		Example: "  mxsweep rules\n  mxsweep rules MXS1001\n  mxsweep rules open relay",
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return without(completeRules(), given), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if asJSON && markdown {
				return usagef("use only one of them", "combining --json with --markdown: only one format at a time")
			}
			set, err := exposure.Builtin()
			if err != nil {
				return err
			}
			notices, words := namedNotices(args)
			if len(notices) > 0 && (asJSON || markdown) {
				return usagef("omit the codes of notices", "explaining %s: notices are available as text only", notices[0].Code)
			}
			var b bytes.Buffer
			for i, k := range notices {
				if i > 0 {
					b.WriteByte('\n')
				}
				explainNotice(&b, k, s.textWidth())
			}
			var rules []*exposure.Rule
			byID := true
			if len(words) > 0 || len(notices) == 0 {
				if rules, byID, err = chosenRules(set, words); err != nil {
					return err
				}
			}
			var about []exposure.NoticeKind
			if !byID {
				about = foundNotices(words)
			}
			if len(rules) == 0 && len(notices) == 0 && (len(about) == 0 || asJSON || markdown) {
				return noRule(set, words, about)
			}
			switch {
			case asJSON:
				err = rulesJSON(&b, rules)
			case markdown && len(args) == 0:
				b.WriteString(set.Manual())
			case markdown:
				for _, r := range rules {
					fmt.Fprintf(&b, "## %s: %s\n\n%s\n", r.ID, r.Title, r.Info().Help)
				}
			case !byID:
				listRules(&b, rules, about)
			default:
				for i, r := range rules {
					if i > 0 || len(notices) > 0 {
						b.WriteByte('\n')
					}
					explainRule(&b, r, s.textWidth())
				}
			}
			if err != nil {
				return err
			}
			_, err = s.stdout.Write(b.Bytes())
			return fault.WriteError(standardOutput, err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for programs")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print Markdown for documentation")
	return cmd
}

// chosenRules returns the rules whose ids are given, in any case, or those that
// contain all of the words; all if there is no word. byID reports whether ids were
// given.
func chosenRules(set *exposure.RuleSet, words []string) (rules []*exposure.Rule, byID bool, err error) {
	if len(words) == 0 {
		return set.All(), false, nil
	}
	ids := 0
	for _, word := range words {
		if likeRuleID.MatchString(word) {
			ids++
		}
	}
	switch ids {
	case len(words):
		rules, err = namedRules(set, words)
		return rules, true, err
	case 0:
		return foundRules(set, words), false, nil
	}
	return nil, false, usagef("give either rule IDs or search words", "rule IDs mixed with words: %s", quotedList(words))
}

// likeRuleID distinguishes an id, perhaps a wrong one, from a word to search for.
var likeRuleID = regexp.MustCompile(`(?i)^mxs.?\d`)

// namedRules are the rules with those ids.
func namedRules(set *exposure.RuleSet, ids []string) ([]*exposure.Rule, error) {
	var rules []*exposure.Rule
	for _, id := range ids {
		id := strings.ToUpper(id)
		r := set.Lookup(id)
		if r == nil {
			return nil, usagef(spelling.Hint(set.IDs(), id, `"mxsweep rules" lists all`), "unknown rule %q", id)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// foundRules are the rules that hold all of the words, in any case.
func foundRules(set *exposure.RuleSet, words []string) []*exposure.Rule {
	var rules []*exposure.Rule
	for _, r := range set.All() {
		texts := append([]string{r.Title, r.Name, r.Why, r.Fixes.Default}, r.Tags...)
		for _, f := range r.Fixes.Known() {
			texts = append(texts, f.Name())
		}
		if holdsWords(texts, words) {
			rules = append(rules, r)
		}
	}
	return rules
}

// noRule returns the error for words that no rule contains, with a suggestion; about
// are the notices that contain them.
func noRule(set *exposure.RuleSet, words []string, about []exposure.NoticeKind) error {
	hint := `"mxsweep rules" lists all`
	if id := "MXS" + words[0]; set.Lookup(id) != nil || view.NoticeKindOf(id).Title != "" {
		hint = fmt.Sprintf("did you mean %q? %s", id, hint)
	} else if len(about) > 0 {
		hint = "notices contain it, but are available as text only: omit --json and --markdown"
	} else if i := slices.IndexFunc(words, func(w string) bool { return len(foundRules(set, []string{w})) == 0 }); i < 0 {
		hint = "each word is in a rule, but no rule contains all of them; use fewer words"
	} else {
		var known []string
		for _, r := range set.All() {
			known = append(append(known, r.Tags...), strings.Fields(strings.ToLower(r.Title))...)
		}
		hint = spelling.Hint(known, words[i], hint)
	}
	return usagef(hint, "searching for %s: no rule found", quoted(words))
}

// listRules writes a line for each rule, and for each of the notices about which the
// user asked.
func listRules(b *bytes.Buffer, rules []*exposure.Rule, about []exposure.NoticeKind) {
	for _, r := range rules {
		fmt.Fprintf(b, "%s  %-8s  %4.1f  %s\n", r.ID, r.Severity, r.Score, r.Title)
	}
	for _, k := range about {
		fmt.Fprintf(b, "%s  %-8s        %s\n", k.Code, k.Level, k.Title)
	}
	b.WriteString("\nRun \"mxsweep rules ID\" for more about a rule.\n")
}

// explainRule prints all that is known about a rule, wrapped at width columns.
func explainRule(b *bytes.Buffer, r *exposure.Rule, width int) {
	fmt.Fprintf(b, "%s  %s\n%s, score %.1f\n%s\nreviewed on %s\n", r.ID, r.Title, r.Severity, r.Score, r.CVSS, r.Reviewed)
	section := func(title, text string) {
		fmt.Fprintf(b, "\n%s\n", title)
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			indent := "  " + line[:len(line)-len(strings.TrimLeft(line, " "))]
			fmt.Fprintf(b, "%s\n", wrap(line, width, indent))
		}
	}
	section("Why", r.Why)
	if r.OffBand != "" {
		section("Why "+r.Severity.String(), r.OffBand)
	}
	section("Fix", strings.ReplaceAll(r.Fixes.Default, "{port}", fix.AnyPort))
	for _, f := range r.Fixes.Known() {
		section("Fix for "+f.Name(), strings.Join(f.Lines(fix.Values{}), "\n"))
	}
	if also := fix.Elsewhere(r.Fixes.Known(), fix.Values{}); also != nil {
		section("On several hosts, or in a container", strings.Join(also, "\n"))
	}
	if r.Fixes.Also != "" {
		section("Besides", strings.ReplaceAll(r.Fixes.Also, "{port}", fix.AnyPort))
	}
	fmt.Fprintf(b, "\nAccept the risk in mxsweep.yaml\n%s", acceptance(r))
	if len(r.References) > 0 {
		fmt.Fprintf(b, "\nReferences\n")
		for _, ref := range r.References {
			fmt.Fprintf(b, "  %s\n", ref)
		}
	}
	if len(r.CWE) > 0 {
		fmt.Fprintf(b, "\nCWE\n ")
		for _, c := range r.CWE {
			fmt.Fprintf(b, " CWE-%d", c)
		}
		b.WriteByte('\n')
	}
}

// acceptance is the entry of a policy file that accepts findings of a rule.
func acceptance(r *exposure.Rule) string {
	target := "192.0.2.10\n      port: 10025"
	if r.OfSetting() { // which only files break
		target = "file:path/of/the/file"
	}
	return fmt.Sprintf(`  accept:
    - id: AR-0001
      rule: %s
      target: %s
      reason: why the risk is acceptable, at least 10 characters
      owner: who is responsible for it
      expires: 2027-01-31
`, r.ID, target)
}

func rulesJSON(w io.Writer, rules []*exposure.Rule) error {
	all := []result.RuleInfo{}
	for _, r := range rules {
		all = append(all, r.Info())
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

// textWidth is how wide prose on standard output may be.
func (s *session) textWidth() int {
	if w := s.width(s.stdout); w > 0 {
		return min(max(w, 40), 100)
	}
	return 80
}

// likeNotice tells the code of a notice from the id of a rule.
var likeNotice = regexp.MustCompile(`(?i)^mxs9\d{3}$`)

// namedNotices separates the codes of notices from words, because reports use them
// like ids of rules, and returns their kinds.
func namedNotices(words []string) (kinds []exposure.NoticeKind, rest []string) {
	for _, word := range words {
		k := view.NoticeKindOf(strings.ToUpper(word))
		if likeNotice.MatchString(word) && k.Title != "" {
			kinds = append(kinds, k)
		} else {
			rest = append(rest, word)
		}
	}
	return kinds, rest
}

// foundNotices are the kinds of notices that hold all of the words, in any case;
// none of no word.
func foundNotices(words []string) []exposure.NoticeKind {
	if len(words) == 0 {
		return nil
	}
	return slices.DeleteFunc(view.NoticeKinds(), func(k exposure.NoticeKind) bool {
		return !holdsWords([]string{k.Name, k.Title, k.Why, k.Help}, words)
	})
}

// explainNotice prints all that is known about a kind of notice, wrapped at width
// columns.
func explainNotice(b *bytes.Buffer, k exposure.NoticeKind, width int) {
	fmt.Fprintf(b, "%s  %s\nnotice of a run, %s\n", k.Code, k.Title, k.Level)
	fmt.Fprintf(b, "\nWhy\n%s\n", wrap(k.Why, width, "  "))
	fmt.Fprintf(b, "\nWhat to do\n%s\n", wrap(k.Help, width, "  "))
}
