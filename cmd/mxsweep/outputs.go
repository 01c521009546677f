package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/run/output"
)

// How messages name the streams.
const (
	standardOutput = output.StandardOutput
	standardError  = "standard error"
)

// parseOutputs reads the values of --output: FORMAT for standard output, or
// FORMAT=FILE, where "-" is standard output too and may stand only once.
func parseOutputs(values []string) ([]output.Spec, error) {
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
			errs = append(errs, unknownFormat(format, named))
		case file == "":
			errs = append(errs, usagef("FORMAT=FILE, or FORMAT alone for standard output", "reading output %q: no file is named", v))
		case file == "-" && slices.ContainsFunc(specs, func(o output.Spec) bool { return o.File == file }):
			errs = append(errs, usagef("give each output a file of its own: FORMAT=FILE", "reading output %q: %s is taken by another output", v, spec.Name()))
		default:
			specs = append(specs, spec)
		}
	}
	return specs, errors.Join(errs...)
}

// unknownFormat refuses a format; named says that a file came with it. Without one
// the word may be that of a file whose format its extension tells.
func unknownFormat(name string, named bool) error {
	hint := "one of " + strings.Join(report.Formats(), ", ")
	if name == "xml" || name == "X" { // the latter of "-oX FILE"
		return usagef("write -o nmap-xml=FILE or -o junit=FILE; FORMAT is "+hint, "unknown output format %q", name)
	}
	ext := strings.TrimPrefix(filepath.Ext(name), ".")
	format, ok := map[string]string{"txt": "text", "md": "markdown"}[ext]
	if !ok {
		format = ext
	}
	if !named && slices.Contains(report.Formats(), format) {
		return usagef(fmt.Sprintf("did you mean -o %s=%s?", format, name), "unknown output format %q", name)
	}
	return usagef(spelling.Hint(report.Formats(), name, hint), "unknown output format %q", name)
}

// shows reports whether the format goes to standard output.
func shows(specs []output.Spec, format string) bool {
	return slices.ContainsFunc(specs, func(o output.Spec) bool { return o.Format == format && o.File == "-" })
}

// printed reports whether a report goes to standard output.
func printed(specs []output.Spec) bool {
	return slices.ContainsFunc(specs, func(o output.Spec) bool { return o.File == "-" })
}
