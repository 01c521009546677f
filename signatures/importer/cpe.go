package importer

import (
	"net/url"
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// versionMark is the placeholder in a CPE for the version that a pattern captures.
const versionMark = "{version}"

// cpe23 converts a CPE 2.2 URI, "cpe:/a:vendor:product:version", to a CPE 2.3
// formatted string (NISTIR 7695, Section 6.1.3); a version mark is kept. An empty
// component means any value. It returns "" for other texts.
func cpe23(uri string) string {
	rest, ok := strings.CutPrefix(uri, "cpe:/")
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 3 || len(parts) > 7 || len(parts[0]) != 1 || !strings.Contains("aoh", parts[0]) {
		return ""
	}
	all := append(parts, make([]string, 11-len(parts))...)
	for i, part := range all {
		switch part {
		case "":
			all[i] = "*"
		case "-", versionMark:
		default:
			if text, err := url.PathUnescape(part); err == nil {
				part = text
			}
			all[i] = signatures.EscapeCPE(part)
		}
	}
	return "cpe:2.3:" + strings.Join(all, ":")
}
