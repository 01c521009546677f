package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// newPorts is "mxsweep ports".
func newPorts(s *session) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ports [PORT|PROFILE|WORD...]",
		Short: "show what is known about a port",
		Long: `Shows who uses a port and in which direction, what a stranger gains by reaching
it, and how to inspect it on the host itself. A profile lists its ports. A word
lists the ports whose users, roles or protocols contain it. Without an argument,
all profiles and ports are listed.`,
		Example: "  mxsweep ports 10028\n  mxsweep ports internal\n  mxsweep ports milter",
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return without(completePorts(), given), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := signatures.DefaultPorts()
			if err != nil {
				return err
			}
			p := &portPrinter{w: s.stdout, known: known, width: s.textWidth()}
			if asJSON {
				return fault.WriteError(standardOutput, p.json(args))
			}
			return p.print(args)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON for programs")
	return cmd
}

// A portPrinter prints what is known about ports.
type portPrinter struct {
	w     io.Writer
	known *signatures.Ports
	width int
}

// print prints the given ports and profiles, or a list of all of them.
func (p *portPrinter) print(args []string) error {
	if len(args) == 0 {
		return fault.WriteError(standardOutput, p.overview())
	}
	for i, arg := range args {
		if i > 0 {
			fmt.Fprintln(p.w)
		}
		if profile, ok := p.known.Profile(arg); ok {
			if err := p.profile(profile); err != nil {
				return fault.WriteError(standardOutput, err)
			}
			continue
		}
		ports, err := scope.ParsePorts(arg, p.known.ProfilePorts())
		if found := p.find(arg); err != nil && len(found) > 0 {
			if err := p.list(found); err != nil {
				return fault.WriteError(standardOutput, err)
			}
			continue
		}
		if err != nil {
			return p.unknown(arg, err)
		}
		for _, n := range ports {
			if err := p.port(n); err != nil {
				return fault.WriteError(standardOutput, err)
			}
		}
	}
	return nil
}

func (p *portPrinter) overview() error {
	var b strings.Builder
	b.WriteString("Profiles, for --ports:\n")
	for _, f := range p.known.Profiles() {
		fmt.Fprintf(&b, "  %-10s %4d ports  %s\n", f.Name, len(f.Ports), f.Title)
	}
	b.WriteString("\nPorts:\n")
	for _, port := range p.known.All() {
		p.line(&b, port)
	}
	b.WriteString("\nRun \"mxsweep ports PORT\" for more about a port.\n")
	_, err := io.WriteString(p.w, b.String())
	return err
}

// find returns the ports whose users, roles, protocols or mail flow contain a word.
// Numbers, and what could be a list of ports, find none.
func (p *portPrinter) find(word string) []signatures.KnownPort {
	if strings.Trim(word, "0123456789,-! ") == "" {
		return nil
	}
	var found []signatures.KnownPort
	for _, port := range p.known.All() {
		texts := []string{port.Title, port.IANA.Name}
		for _, u := range port.Uses {
			texts = append(texts, u.Product, string(u.Role), u.Protocol, u.Stack, u.Flow)
		}
		if holdsWords(texts, []string{word}) {
			found = append(found, port)
		}
	}
	return found
}

// unknown returns the error for an argument that is neither port nor profile, with a
// suggestion.
func (p *portPrinter) unknown(arg string, err error) error {
	var words []string
	for _, f := range p.known.Profiles() {
		words = append(words, f.Name)
	}
	for _, port := range p.known.All() {
		for _, u := range port.Uses {
			words = append(words, strings.ToLower(u.Product), string(u.Role), u.Protocol)
		}
	}
	best := spelling.Nearest(words, strings.ToLower(arg))
	hint := fmt.Sprintf("did you mean %q? \"mxsweep ports\" lists all", best)
	var input *scope.InputError
	if _, profile := p.known.Profile(best); (best == "" || profile) && errors.As(err, &input) {
		hint = input.Hint // which lists the profiles
	}
	if arg != "" && strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == "" {
		return usagef(hint, "no port, profile or use matches %q", arg)
	}
	if len(fault.Parts(err)) > 1 {
		return fault.As(fault.Usage, err) // each has its hint
	}
	return usagef(hint, "%w", err)
}

// list writes one line for each of the ports.
func (p *portPrinter) list(ports []signatures.KnownPort) error {
	var b strings.Builder
	for _, port := range ports {
		p.line(&b, port)
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

func (p *portPrinter) line(b *strings.Builder, port signatures.KnownPort) {
	fmt.Fprintf(b, "  %5d  %-8s  %s\n", port.Number, port.Severity(), port.Title)
}

func (p *portPrinter) profile(f signatures.Profile) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Profile %s: %s\n%s\n", f.Name, f.Title, wrap(f.Why, p.width, "  "))
	fmt.Fprintf(&b, "  --ports %s\n\n", scope.FormatPorts(f.Ports))
	for _, n := range f.Ports {
		if port, ok := p.known.Lookup(n); ok {
			p.line(&b, port)
		}
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

// port prints all that is known about one port, or at least how to find its listener.
func (p *portPrinter) port(n uint16) error {
	var b strings.Builder
	port, ok := p.known.Lookup(n)
	if !ok {
		fmt.Fprintf(&b, "Port %d/tcp: no known mail daemon uses it\n", n)
		fmt.Fprintf(&b, "  Scan it with --ports %d; services are identified by dialogue, not by port number.\n", n)
	} else {
		p.describe(&b, port)
	}
	b.WriteString("\nOn the host itself:\n")
	for _, system := range []struct{ name, title string }{
		{signatures.LookLinux, "Linux"}, {signatures.LookMacOS, "macOS"}, {signatures.LookWindows, "Windows"},
	} {
		for _, look := range p.known.Look(system.name, n) {
			fmt.Fprintf(&b, "  %-8s %s\n%s\n", system.title, look.Command, wrap(look.Shows, p.width, "           "))
		}
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

func (p *portPrinter) describe(b *strings.Builder, port signatures.KnownPort) {
	fmt.Fprintf(b, "Port %d/tcp: %s\n", port.Number, port.Title)
	fmt.Fprintf(b, "  IANA      %s\n", strings.TrimRight(strings.Join([]string{port.IANA.Status, port.IANA.Name, port.IANA.Description}, " "), " "))
	reach := "meant to be public"
	if port.Internal {
		reach = "for the mail system itself only"
	}
	fmt.Fprintf(b, "  Reach     %s\n", reach)
	if len(port.Profiles) > 0 {
		fmt.Fprintf(b, "  Profiles  %s\n", strings.Join(port.Profiles, ", "))
	}
	fmt.Fprintf(b, "  Related   %s\n", strings.ReplaceAll(scope.FormatPorts(port.Related), ",", ", "))
	for _, u := range port.Uses {
		who := u.Product
		if u.Stack != "" {
			who += " (" + u.Stack + ")"
		}
		fmt.Fprintf(b, "\n%s: %s, %s\n", who, u.Role, u.Protocol)
		for _, row := range []struct{ title, text string }{
			{"Flow", u.Flow}, {"Listens", u.Bind}, {"Stranger", u.Gain}, {"Severity", u.Severity.String()},
			{"Setting", p.setting(u, port.Number)},
		} {
			text := strings.TrimLeft(wrap(row.text, p.width, "            "), " ")
			fmt.Fprintf(b, "  %-8s  %s\n", row.title, text)
		}
	}
}

// setting returns the setting that binds the listener of a use to an address.
func (p *portPrinter) setting(u signatures.Use, port uint16) string {
	var list []string
	for _, id := range u.Fix {
		if f := fix.Builtin().Lookup(id); f != nil {
			list = append(list, f.Summary(fix.Values{Port: port}))
		}
	}
	return strings.Join(list, "; or ")
}

// A portRecord is a port in JSON, with the settings as text.
type portRecord struct {
	signatures.KnownPort
	Uses []useRecord `json:"uses"`
}

type useRecord struct {
	signatures.Use
	Config string `json:"config"` // the setting that binds it
}

func (p *portPrinter) record(port signatures.KnownPort) portRecord {
	r := portRecord{KnownPort: port}
	for _, u := range port.Uses {
		r.Uses = append(r.Uses, useRecord{u, p.setting(u, port.Number)})
	}
	return r
}

// json writes what is known of the ports named, or of all.
func (p *portPrinter) json(args []string) error {
	ports := p.known.All()
	if len(args) > 0 {
		var err error
		if ports, err = p.named(args); err != nil {
			return err
		}
	}
	records := make([]portRecord, len(ports))
	for i, port := range ports {
		records[i] = p.record(port)
	}
	enc := json.NewEncoder(p.w)
	enc.SetIndent("", "  ")
	return enc.Encode(records)
}

// named returns the ports that the arguments name, without duplicates.
func (p *portPrinter) named(args []string) ([]signatures.KnownPort, error) {
	var specs []string
	for _, arg := range args {
		_, profile := p.known.Profile(arg)
		found := p.find(arg)
		if profile || len(found) == 0 {
			specs = append(specs, arg)
			continue
		}
		for _, port := range found {
			specs = append(specs, strconv.Itoa(int(port.Number)))
		}
	}
	numbers, err := scope.ParsePorts(strings.Join(specs, ","), p.known.ProfilePorts())
	if err != nil {
		return nil, fault.As(fault.Usage, err)
	}
	var ports []signatures.KnownPort
	for _, n := range numbers {
		port, ok := p.known.Lookup(n)
		if !ok {
			port = signatures.KnownPort{Number: n, Title: "no known mail daemon uses port " + strconv.Itoa(int(n))}
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// wrap breaks text into lines of at most width columns, each indented.
func wrap(text string, width int, indent string) string {
	columns := width - len(indent)
	return indent + strings.Join(words.Wrap(text, columns, columns), "\n"+indent)
}
