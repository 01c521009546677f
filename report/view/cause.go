package view

import (
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// The causes of an incomplete run other than its coverage.
const (
	canaryFailed = "a canary did not answer as expected" // said about every run with such a canary
	undecided    = "the files do not decide all of what they open"
	nothingRead  = "no configuration file of a known kind was found"
	hostsUnknown = "not all hosts of a domain are known"
	nothingAsked = "nothing was in scope"
)

// wordsOf are the words for the notices that say it all if no others make a run incomplete.
var wordsOf = map[string]string{
	exposure.NoticeUndecided:        undecided,
	exposure.NoticeDomainIncomplete: hostsUnknown,
}

// cause returns why the run is incomplete, in words, if that is not its coverage; "" otherwise.
func (v *View) cause() string {
	codes := v.errors()
	switch {
	case OfFiles(&v.Run) && codes[exposure.NoticeNoConfiguration]:
		return nothingRead
	case OfFiles(&v.Run):
		return undecided
	case codes[exposure.NoticeNothingInScope]:
		return nothingAsked
	case v.onlyCanaries():
		return canaryFailed
	case v.Sum.Complete && len(codes) == 1:
		for code := range codes {
			return wordsOf[code]
		}
	}
	return ""
}

// errors returns the codes of the notices that make the run incomplete.
func (v *View) errors() map[string]bool {
	codes := map[string]bool{}
	for _, n := range v.notices {
		if n.Level == result.LevelError {
			codes[n.Code] = true
		}
	}
	return codes
}

// onlyCanaries reports whether the run is incomplete only because of canaries.
func (v *View) onlyCanaries() bool {
	ok, codes := v.Sum.Coverage.CanariesOK, v.errors()
	delete(codes, exposure.NoticeCanary)
	return ok != nil && !*ok && v.Sum.Complete && len(codes) == 0
}
