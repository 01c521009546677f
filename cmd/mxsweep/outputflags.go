package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/run/output"
)

// outputFlags are the flags of commands that write reports.
type outputFlags struct {
	outputs []string
	private bool
	color   *choice
	only    *choice
	limit   uint // of markdown

	evidence *choice
	title    format.TitlePage

	verbose bool

	sarifProfile  *choice
	sarifCategory string
	sarifAnchor   string

	offline bool // the command contacts no network, so that formats of its hosts are not offered

	saved string // the file of the saved run, "" if there is none
	local bool   // no output for a workflow
}

// formats returns the formats that the command offers.
func (o *outputFlags) formats() []string {
	if !o.offline {
		return report.Formats()
	}
	return slices.DeleteFunc(report.Formats(), ofNetwork)
}

// ofNetwork reports whether a format describes the hosts of a network.
func ofNetwork(format string) bool { return strings.HasPrefix(format, "nmap") }

// formatsKey is the annotation of the flag of the formats with those that the shell completes.
const formatsKey = "formats"

// register adds the flags to those of a command.
func (o *outputFlags) register(flags *pflag.FlagSet) {
	o.color = newChoice(auto, always, never)
	flags.StringArrayVarP(&o.outputs, "output", "o", nil,
		"write a report as `FORMAT[=FILE]`; repeatable; FORMAT is one of "+strings.Join(o.formats(), ", ")+"; without FILE, or with -, to standard output, for one format only (default text)")
	_ = flags.SetAnnotation("output", formatsKey, describedFormats(o.formats())) // it fails only if the flag does not exist
	flags.BoolVar(&o.private, "private", false, "make reports readable by their owner only (mode 0600) instead of following the umask")
	flags.Var(o.color, "color", "when to color text output; honors NO_COLOR")
	o.sarifProfile = newChoice(format.ProfileCI, format.ProfileFull)
	flags.Var(o.sarifProfile, "sarif-profile", "omit accepted, expected and fixed results from sarif (ci), or include them as suppressed (full)")
	flags.StringVar(&o.sarifCategory, "sarif-category", "", "use `ID` to distinguish several sarif uploads for one commit (default from the scope)")
	flags.StringVar(&o.sarifAnchor, "sarif-anchor", "", "let sarif results of which no line is known point to `FILE` (default mxsweep.yaml)")
	o.only = newChoice("all", format.OnlyNew, format.OnlyFailing)
	flags.Var(o.only, "only", "findings that "+wording.List(report.Restricted())+" show; the other formats contain all")
	o.evidence = newChoice(format.EvidenceSummary, format.EvidenceNone, format.EvidenceFull)
	flags.Var(o.evidence, "evidence", "how much evidence html and text show: none, summary (collapsed in html, not printed) or full")
	flags.StringVar(&o.title.Title, "title", "", "set the title of the html report to `TEXT`")
	flags.StringVar(&o.title.Client, "client", "", "show `TEXT` as the client on the title page of the html report")
	flags.StringVar(&o.title.Engagement, "engagement", "", "show `TEXT` as the engagement on the title page of the html report")
	flags.StringVar(&o.title.Author, "author", "", "show `TEXT` as the author on the title page of the html report")
	flags.StringVar(&o.title.Classification, "classification", "", "show `TEXT`, such as \"confidential\", as the classification on the title page of the html report")
	flags.UintVar(&o.limit, "markdown-limit", report.UsualMarkdown, "limit markdown to `N` characters; GitHub accepts 65536 in a pull request comment and 1048576 in a step summary")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "verbose output: all evidence, all fixes with their steps, and how each product was identified")
}

// specs returns the requested outputs, text on standard output if there is none, and
// those for a workflow.
func (o *outputFlags) specs(s *session) ([]output.Spec, error) {
	if o.limit < report.MinMarkdown || o.limit > report.MaxMarkdown {
		return nil, usagef(fmt.Sprintf("from %d to %d", report.MinMarkdown, report.MaxMarkdown), "reading flag \"--markdown-limit\": %d is out of range", o.limit)
	}
	specs := []output.Spec{{Format: "text", File: "-"}}
	if len(o.outputs) > 0 {
		var err error
		if specs, err = o.parse(o.outputs); err != nil {
			return specs, err
		}
	}
	if i := slices.IndexFunc(specs, func(o output.Spec) bool { return o.File != "-" && (o.Format == "json" || o.Format == "jsonl") }); i >= 0 {
		o.saved = specs[i].File
	}
	options := o.options(s)
	for i := range specs {
		specs[i].Options = options(&specs[i])
		if specs[i].File == "-" {
			specs[i].Writer = s.stdout
		}
	}
	if o.local {
		return specs, nil
	}
	return append(specs, s.workflowSpecs(specs, options)...), nil
}

// shown returns which findings the reports for people show, "" for all.
func (o *outputFlags) shown() string {
	if o.only.value == "all" {
		return ""
	}
	return o.only.value
}

// options returns how each output looks: color and width are those of its terminal, if
// any.
func (o *outputFlags) options(s *session) func(*output.Spec) format.Options {
	var revision format.Revision
	if slices.ContainsFunc(o.outputs, func(v string) bool { return strings.HasPrefix(v, "sarif") }) {
		revision = checkedOut(s.env, string(report.WorkTree()))
	}
	return func(spec *output.Spec) format.Options {
		opts := format.Options{Saved: o.saved, Verbose: o.verbose, Only: o.shown(), MaxBytes: int(o.limit), Evidence: o.evidence.value, Title: o.title, SARIF: format.SARIFOptions{
			Profile: o.sarifProfile.value, Category: o.sarifCategory, Anchor: o.sarifAnchor, Revision: revision,
		}}
		if spec.File == "-" {
			opts.Color = s.color(o.color.value, s.stdout)
			opts.Width = s.width(s.stdout)
		}
		return opts
	}
}

// How messages name the streams.
const (
	standardOutput = output.StandardOutput
	standardError  = "standard error"
)

// parse reads the values of --output: FORMAT for standard output, or FORMAT=FILE, where "-" is
// standard output too and may stand only once.
func (o *outputFlags) parse(values []string) ([]output.Spec, error) {
	var specs []output.Spec
	var errs []error
	for _, v := range values {
		format, file, named := strings.Cut(v, "=")
		if !named {
			file = "-"
		}
		spec := output.Spec{Format: format, File: file}
		switch {
		case !slices.Contains(report.Formats(), format):
			errs = append(errs, unknownFormat(format, named, o.formats()))
		case file == "":
			errs = append(errs, usagef("write FORMAT=FILE, or FORMAT alone for standard output", "reading output %q: the file name is missing", v))
		case file == "-" && slices.ContainsFunc(specs, func(o output.Spec) bool { return o.File == file }):
			errs = append(errs, usagef("use a separate file for each output: FORMAT=FILE", "reading output %q: %s is used by another output", v, spec.Name()))
		default:
			specs = append(specs, spec)
		}
	}
	return specs, errors.Join(errs...)
}

// unknownFormat refuses a format that is none of those that the command offers; named says
// that a file was given. Without one the word may be the name of a file whose extension
// suggests the format.
func unknownFormat(name string, named bool, formats []string) error {
	hint := "one of " + strings.Join(formats, ", ")
	if like := foreignFormats[name]; like != "" && (!strings.Contains(like, "nmap") || slices.ContainsFunc(formats, ofNetwork)) {
		return usagef("write "+like+"; FORMAT is "+hint, "unknown output format %q", name)
	}
	ext := strings.TrimPrefix(filepath.Ext(name), ".")
	format, ok := map[string]string{"txt": "text", "md": "markdown"}[ext]
	if !ok {
		format = ext
	}
	if !named && slices.Contains(formats, format) {
		return usagef(fmt.Sprintf("did you mean -o %s=%s?", format, name), "unknown output format %q", name)
	}
	return usagef(spelling.Hint(formats, name, hint), "unknown output format %q", name)
}

// foreignFormats are formats of other tools, with what to write here: "-oX FILE" of nmap
// is read as the format X.
var foreignFormats = map[string]string{
	"xml": "-o nmap-xml=FILE or -o junit=FILE",
	"A":   "-o text=FILE -o nmap-xml=FILE",
	"G":   "-o csv=FILE or -o text=FILE",
	"J":   "-o json=FILE",
	"N":   "-o text=FILE",
	"X":   "-o nmap-xml=FILE or -o junit=FILE",
}

// shows reports whether the format goes to standard output.
func shows(specs []output.Spec, format string) bool {
	return slices.ContainsFunc(specs, func(o output.Spec) bool { return o.Format == format && o.File == "-" })
}

// printed reports whether a report goes to standard output.
func printed(specs []output.Spec) bool {
	return slices.ContainsFunc(specs, func(o output.Spec) bool { return o.File == "-" })
}

// openReports opens the reports of a run that sends nothing. If a signal ends the command,
// they are discarded.
func (s *session) openReports(ctx context.Context, flags *outputFlags, specs []output.Spec) (*output.Set, error) {
	outs, err := output.Open(ctx, specs, output.OpenOptions{Private: flags.private, Log: s.log})
	if err != nil {
		return nil, err
	}
	undo := outs.Discard
	s.undo.Store(&undo)
	return outs, nil
}
