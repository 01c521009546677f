package exposure

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// A VantageClass says how close a vantage point is to the host.
type VantageClass string

// The classes of vantage points.
const (
	ClassInternet VantageClass = "internet" // whoever scans is a stranger
	ClassLAN      VantageClass = "lan"      // on the same network, not on the host
	ClassHost     VantageClass = "host"     // a scan by the host of its own ports: "listening", not "exposed"
	ClassConfig   VantageClass = "config"   // only files or sockets were read: "bound", not "exposed"
)

// NameSockets is the name of the vantage point of a run that read what listens on a machine,
// on that machine, and connected to nothing. It is not ClassHost, from which a scan connects
// to the machine's own ports. Its class is ClassConfig: it is not known who can connect.
const NameSockets = "sockets"

// A Vantage is the vantage point of the scanner. The zero Vantage is the
// internet.
type Vantage struct {
	// Name is the name from the flag or the policy file; it is part of finding
	// ids. "" means the name of the class.
	Name string

	// Class selects the rules that apply. "" is internet.
	Class VantageClass
}

// class returns the class, with the default filled in.
func (v Vantage) class() VantageClass {
	if v.Class == "" {
		return ClassInternet
	}
	return v.Class
}

// String returns the name that finding ids use.
func (v Vantage) String() string {
	if v.Name == "" {
		return string(v.class())
	}
	return v.Name
}

// ParseVantage parses a class, or the name of one of the vantage points in named.
// "" is the internet.
func ParseVantage(name string, named []Vantage) (Vantage, error) {
	switch c := VantageClass(name); c {
	case "":
		return Vantage{Class: ClassInternet}, nil
	case ClassInternet, ClassLAN, ClassHost:
		return Vantage{Class: c}, nil
	}
	known := []string{string(ClassInternet), string(ClassLAN), string(ClassHost)}
	for _, v := range named {
		if v.Name == name {
			return v, nil
		}
		known = append(known, v.Name)
	}
	return Vantage{}, &userfile.Error{
		Problem: fmt.Sprintf("unknown vantage %q", name),
		Hint:    spelling.Hint(known, name, "the vantages are "+strings.Join(known, ", ")+"; name others under vantages: in the policy file"),
	}
}
