package mailpath

import (
	"cmp"
	"strconv"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// works are what daemons of a product do for mail that passes through them, where their
// role does not say it.
var works = []struct{ product, work string }{
	{"amavisd", "the spam and virus filter"},
	{"ClamSMTP", "the virus filter"},
	{"spampd", "the spam filter"},
	{"DSPAM", "the spam filter"},
}

// roleWorks are what daemons do for mail that passes through them, by their role. A role
// that is not here does nothing of its own.
var roleWorks = map[result.Role]string{
	result.RoleContentFilter: "the content filter",
	result.RoleSigningProxy:  "signing",
	result.RoleAntispam:      "the spam filter",
	result.RoleAntivirus:     "the virus filter",
	result.RolePolicy:        "the policy daemon",
	result.RoleMilter:        "the milter",
	result.RoleMTA:           "the checks at the edge",
	result.RoleSubmission:    "the login of submission",
	result.RoleIMAP:          "the front end with its TLS and login limits",
	result.RolePOP3:          "the front end with its TLS and login limits",
	result.RoleIMAPProxy:     "the proxy with its TLS and login limits",
	result.RolePOP3Proxy:     "the proxy with its TLS and login limits",
	result.RoleProxy:         "the proxy",
}

// work returns what a step does for mail that passes through it, "" if nothing.
func work(s *result.PathStep) string {
	for _, w := range works {
		if exposure.HasProduct(s.Product, w.product) {
			return w.work
		}
	}
	return roleWorks[s.Role]
}

// Name returns a step in a few words: "10024 amavisd-new", "queue".
func Name(s *result.PathStep) string {
	switch {
	case s.Kind == result.StepElsewhere:
		return s.Name
	case s.Kind == result.StepQueue && s.Name != "":
		return "queue of " + s.Name
	case s.Kind != result.StepPort:
		return string(s.Kind)
	case s.Port == 0:
		return cmp.Or(s.Product, "a daemon") + ", its port is not known"
	case s.Product == "":
		return strconv.Itoa(int(s.Port))
	}
	return strconv.Itoa(int(s.Port)) + " " + s.Product
}

// bases explain how sure a sentence about edges is, by the weakest of them.
var bases = map[result.EdgeBasis]string{
	result.BasisFile:     "as the configuration files say",
	result.BasisDialogue: "likely, by what the ports answer",
	result.BasisTable:    "as these daemons usually are set up; the edges were not observed",
}
