package recog

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// A guess has this confidence with a version, one less without. recog knows
// only single lines, and not how a daemon behaves.
const maxConfidence = 7

var _ signatures.Fallback = (*Set)(nil)

// Guess names the daemon whose lines match a fingerprint: in the order of
// recog's files the first that names a product. It returns nil if there is none.
func (set *Set) Guess(seen *signatures.Transcript) *signatures.Guess {
	for from := 0; from < len(set.fingerprints); {
		src := set.fingerprints[from].source
		to := from
		for to < len(set.fingerprints) && set.fingerprints[to].source == src {
			to++
		}
		for i := range seen.Exchanges {
			ex := &seen.Exchanges[i]
			for _, text := range src.texts(ex) {
				if g := first(set.fingerprints[from:to], text); g != nil {
					g.Probe = ex.Probe
					return g
				}
			}
		}
		from = to
	}
	return nil
}

// first is what the first fingerprint that matches says; those after it count
// for nothing, because the more particular ones come first.
func first(fingerprints []*fingerprint, text []byte) *signatures.Guess {
	for _, fp := range fingerprints {
		if values := fp.match(text); values != nil {
			return fp.guess(values)
		}
	}
	return nil
}

// guess puts the values of a match in our words, nil if they name no product.
func (fp *fingerprint) guess(values map[string]string) *signatures.Guess {
	product := values["service.product"]
	if product == "" {
		return nil
	}
	g := &signatures.Guess{
		Rule:       fmt.Sprintf("recog:%s:%d", path.Base(fp.pos.File), fp.pos.Line),
		Protocol:   fp.source.protocol,
		Role:       fp.source.role,
		Product:    product,
		Version:    values["service.version"],
		Hostname:   values["host.name"],
		OSType:     values["os.product"],
		Confidence: confidence(values),
	}
	if vendor := values["service.vendor"]; !strings.Contains(strings.ToLower(product), strings.ToLower(vendor)) {
		g.ExtraInfo = "by " + vendor
	}
	for _, name := range []string{"service.cpe23", "os.cpe23"} {
		// A hyphen stands for a version that is not known; in CPE it means
		// that there is none (NISTIR 7695, Section 5.3.1).
		uri := strings.TrimSuffix(interpolate(values[name], values), ":-")
		if cpe := signatures.CPE23(uri); cpe != "" {
			g.CPEs = append(g.CPEs, cpe)
		}
	}
	return g
}

func confidence(values map[string]string) int {
	c := maxConfidence
	if values["service.version"] == "" {
		c--
	}
	if certainty, err := strconv.ParseFloat(values["service.certainty"], 64); err == nil && certainty >= 0 && certainty < 1 {
		c = int(float64(c) * certainty)
	}
	return max(c, 1)
}
