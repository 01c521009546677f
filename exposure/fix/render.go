package fix

import (
	"fmt"
	"slices"
	"strings"
)

// Choose returns the fixes for a product: those for its version if it is known,
// otherwise all that may apply. Fixes with more specific product names replace
// those with less specific ones. matches reports whether words match a product.
func Choose(from []*Fix, product, version string, matches func(product, words string) bool) []*Fix {
	var list []*Fix
	longest := 0
	for _, f := range from {
		if !f.HoldsFor(version) {
			continue
		}
		said := 0
		for _, words := range f.Products {
			if len(words) > said && (words == anyProduct || matches(product, words)) {
				said = len(words)
			}
		}
		switch {
		case said == 0 || said < longest:
			continue
		case said > longest:
			longest, list = said, nil
		}
		list = append(list, f)
	}
	return list
}

// Name returns the product that a fix is for, with the versions.
func (f *Fix) Name() string {
	if f.Platform == PlatformContainer {
		return "containers"
	}
	if f.Products[0] == anyProduct {
		return "any software"
	}
	if f.Versions == "" {
		return f.Products[0]
	}
	text := strings.ReplaceAll(strings.ReplaceAll(f.Versions, ">=", "from "), " <", " and before ")
	if rest, ok := strings.CutPrefix(text, "<"); ok {
		text = "before " + rest
	}
	return f.Products[0] + " " + text
}

// Summary returns one sentence that says what to do: the file and the edit.
func (f *Fix) Summary(v Values) string {
	var parts []string
	for _, e := range f.Edits {
		parts = append(parts, f.Format.describe(e, v))
	}
	if f.Manual() {
		parts = []string{v.fill(f.Steps[0])}
	}
	text := strings.Join(parts, "; ")
	switch {
	case v.File != "":
		text = v.File + ": " + text
	case f.Upstream != "":
		text = f.File + " (upstream: " + f.Upstream + "): " + text
	case f.File != "":
		text = f.File + ": " + text
	}
	return text
}

// Outline returns the summary and the other steps in one line: all that comes before
// Check and Apply.
func (f *Fix) Outline(v Values) string {
	text := f.Summary(v)
	if !f.Manual() {
		return text
	}
	for _, s := range f.Steps[1:] {
		if !strings.HasSuffix(text, ":") {
			text += ";"
		}
		text += " " + v.fill(s)
	}
	return text
}

// Lines returns the summary, the lines after the edit, and the commands that
// check the edit, apply it and verify that it worked.
func (f *Fix) Lines(v Values) []string {
	return append([]string{f.Summary(v)}, f.afterSummary(v)...)
}

// afterSummary returns Lines without the first one.
func (f *Fix) afterSummary(v Values) []string {
	var list []string
	for _, e := range f.Edits {
		for _, line := range f.Format.example(e, v) {
			list = append(list, "    "+line)
		}
	}
	if f.Manual() {
		for _, s := range f.Steps[1:] {
			list = append(list, v.fill(s))
		}
	}
	if f.Process != "" && v.File == "" {
		list = append(list, v.fill("Before: ss -Hltnp 'sport = :{port}' must show ")+f.Process+
			"; if it shows another program, do not change this file; bind that program's listener instead")
	}
	for _, c := range []struct{ what, command string }{{labelCheck, f.Check}, {labelApply, f.Apply}} {
		if c.command != "" {
			list = append(list, c.what+v.fill(c.command))
		}
	}
	if v.File != "" {
		return append(list, VerifyFile(v.Root+v.File), f.Basis())
	}
	return append(list, Verify(v.VantageFlag(), v.place()), f.Basis())
}

// Verify returns the line with the command that verifies a fix, for places of the
// form ADDRESS:PORT and a flag from Values.VantageFlag. It sets --fail-on,
// because that of a policy in the working directory may need a baseline.
func Verify(flag string, places ...string) string {
	return strings.TrimRight(labelVerify+"mxsweep scan "+strings.Join(places, " ")+" --fail-on any:high "+flag, " ")
}

// VerifyFile returns the line with the command that verifies an edit of a file, which others
// of the files may depend on.
func VerifyFile(files ...string) string {
	return labelVerify + "mxsweep config " + strings.Join(files, " ")
}

// IsCode reports whether a line of a fix is a command or a line of a file, which
// must not be wrapped.
func IsCode(line string) bool {
	return strings.HasPrefix(line, "    ") || slices.ContainsFunc([]string{labelCheck, labelApply, labelVerify}, func(label string) bool {
		return strings.HasPrefix(line, label)
	})
}

// The labels of commands.
const (
	labelCheck  = "Check: "
	labelApply  = "Apply: "
	labelVerify = "Verify: "
)

// Basis says on what a fix is based: the versions with which it was proven, or
// the manual.
func (f *Fix) Basis() string {
	if len(f.Proofs) == 0 {
		return fmt.Sprintf("From the manual, not tested (%s): %s, %s", f.WhyNot, f.Source.Title, f.Source.URL)
	}
	var list []string
	for _, p := range f.Proofs {
		if s := fmt.Sprintf("%s %s (%s)", p.Product, p.Version, p.Platform); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return "Proven on " + strings.Join(list, ", ")
}

// Binds reports whether a fix binds a listener to another address, so that other
// hosts cannot reach its port afterwards.
func (f *Fix) Binds() bool {
	return slices.ContainsFunc(f.Edits, func(e Edit) bool {
		return e.Bind != "" || strings.Contains(e.Value, "127.0.0.1") || strings.Contains(e.Value, "localhost")
	})
}

// headline returns the summary of the first fix, and what the others write
// instead.
func headline(fixes []*Fix, v Values) string {
	if len(fixes) == 0 {
		return ""
	}
	if len(fixes) == 1 {
		return fixes[0].Summary(v)
	}
	text := fixes[0].Name() + ", " + fixes[0].Summary(v)
	for _, f := range fixes[1:] {
		said := f.Summary(v)
		if len(f.Edits) == 1 && f.File == fixes[0].File {
			said = f.Format.short(f.Edits[0], v)
		}
		text += "; " + f.Name() + ": " + said
	}
	return text
}

// Text returns the advice for one finding: each fix that applies, and
// [Elsewhere].
func Text(fixes []*Fix, v Values) string {
	list := []string{headline(fixes, v)}
	for _, f := range fixes {
		if len(fixes) > 1 {
			list = append(list, f.Name()+":")
		}
		list = append(list, f.afterSummary(v)...)
	}
	return strings.Join(append(list, Elsewhere(fixes, v)...), "\n")
}

// Elsewhere returns what to do instead of binding a listener to loopback if its
// client is another host, or the daemon runs in a container, unless the fixes are
// of a container's published port; nil if no fix binds a listener.
func Elsewhere(fixes []*Fix, v Values) []string {
	if !slices.ContainsFunc(fixes, (*Fix).Binds) {
		return nil
	}
	list := []string{v.fill("If the peer runs on another host: bind the internal address that the peer connects to instead, and block port {port} for all other hosts in the packet filter")}
	if slices.ContainsFunc(fixes, func(f *Fix) bool { return f.Binds() && f.Format != Compose }) {
		list = append(list, v.fill("In a container: keep the bind address, and publish the port as 127.0.0.1:{port}:{port} or not at all"))
	}
	return list
}

// NeedsPort reports whether the edit depends on the port that was found, so
// that each port needs an edit of its own.
func (f *Fix) NeedsPort() bool {
	if f.Format == MasterCF {
		return true
	}
	return slices.ContainsFunc(f.Edits, func(e Edit) bool { return e.Bind != "" || strings.Contains(e.Value, "{port}") }) ||
		slices.ContainsFunc(f.Steps, func(s string) bool { return strings.Contains(s, "{port}") })
}
