package postfix

import (
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A service is an entry of master.cf (master(5)).
type service struct {
	name, kind text // "127.0.0.1:10025" and "inet"
	command    text // "smtpd"
	own        settings
	arguments  []text // what follows the options
	fields     []text // the fields as written, then the arguments, normalized as postconf -M does

	wrong []wrongOption

	listeners []string // the names of its listeners
}

// A wrongOption is one that the daemon does not accept.
type wrongOption struct {
	problem string
	at      text
}

// fieldCount is how many fields a service has before its arguments.
const fieldCount = 8

var fieldNames = [fieldCount]string{"service", "type", "private", "unprivileged", "chroot", "wakeup", "maxproc", "command"}

var kinds = []string{"inet", "unix", "fifo", "pass", "unix-dgram"}

// program returns the name of the program that serves.
func (s *service) program() string { return path.Base(s.command.s) }

// notStarted ends the problem of a line with which Postfix does not start.
const notStarted = "; Postfix does not start"

// readServices reads master.cf. failed is called for each entry that makes Postfix stop,
// and for each option that makes the daemon of a service stop: master(8), which listens,
// does not look at options (master/master_ent.c).
func readServices(f *source.File, failed func(problem string, at text)) []service {
	var list []service
	for _, line := range logicalLines(f) {
		s, problem, at := parseService(line)
		if problem != "" {
			failed(problem+notStarted, at)
			continue
		}
		for _, o := range s.wrong {
			failed(o.problem+"; "+s.program()+" does not start", o.at)
		}
		list = append(list, s)
	}
	return list
}

// parseService parses a logical line of master.cf (master/master_ent.c,
// get_master_ent). The problem says why it is no service, and at where.
func parseService(line text) (s service, problem string, at text) {
	end := 0
	for range fieldCount {
		end += len(line.s[end:]) - len(strings.TrimLeft(line.s[end:], blanks))
		from := end
		end = wordEnd(line.s, from, blanks, false)
		if from == end {
			return s, "a service needs eight fields", line.first()
		}
		s.fields = append(s.fields, line.cut(from, end))
	}
	if problem, at = checkFields(s.fields); problem != "" {
		return s, problem, at
	}
	s.name, s.kind, s.command = s.fields[0], s.fields[1], s.fields[7]
	problem, at = s.parseArguments(words(line.cut(end, len(line.s)), blanks, true))
	return s, problem, at
}

// checkFields returns what is wrong with the fields of a service, and where.
func checkFields(fields []text) (problem string, at text) {
	for i, field := range fields {
		ok := true
		switch name := fieldNames[i]; name {
		case "type":
			ok = slices.Contains(kinds, field.s)
		case "private", "unprivileged", "chroot":
			ok = field.s == "y" || field.s == "n" || field.s == "-"
			if name == "private" && fields[1].s == "inet" {
				ok = field.s == "n"
			}
		case "wakeup":
			ok = field.s == "-" || digits(strings.TrimSuffix(field.s, "?"))
		case "maxproc":
			ok = field.s == "-" || digits(field.s)
		default:
			ok = field.s != "-"
		}
		if !ok && !isTemplate(field.s) {
			return "a service has no " + fieldNames[i] + " " + field.s, field
		}
	}
	return "", text{}
}

// parseArguments parses what follows the command: options, then other arguments, each
// of which may be in braces (postconf/postconf_master.c, pcf_normalize_daemon_args).
func (s *service) parseArguments(args []text) (problem string, at text) {
	s.own = settings{}
	i := 0
	for ; i < len(args) && strings.HasPrefix(args[i].s, "-") && args[i].s != "--"; i++ {
		option, val := args[i], text{}
		at := strings.IndexByte(option.s, 'o')
		switch {
		case at <= 0: // no option with a value
			s.fields = append(s.fields, option)
			continue
		case at+1 < len(option.s):
			val = option.cut(at+1, len(option.s))
		case i+1 < len(args):
			i++
			val = args[i]
		default:
			s.wrong = append(s.wrong, wrongOption{"-o has no value", option})
			continue
		}
		if at > 1 {
			s.fields = append(s.fields, option.cut(0, at))
		}
		inner, problem := unbraced(val)
		if problem != "" {
			return problem, val
		}
		s.fields = append(s.fields, literal("-o"), inner)
		a, problem := assign(inner)
		if problem != "" {
			s.wrong = append(s.wrong, wrongOption{problem, val})
			continue
		}
		s.own[a.name.s] = a
	}
	for _, arg := range args[i:] {
		inner, problem := unbraced(arg)
		if problem != "" {
			return problem, arg
		}
		s.fields = append(s.fields, inner)
		s.arguments = append(s.arguments, inner)
	}
	return "", text{}
}
