package exposure

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// A VantageClass says how far a vantage point is from the host.
type VantageClass string

// The classes of vantage points.
const (
	ClassInternet VantageClass = "internet" // whoever scans is a stranger
	ClassLAN      VantageClass = "lan"      // on the same network, not on the host
	ClassHost     VantageClass = "host"     // on the host itself: "listening", not "exposed"
)

// A Vantage is where the scanner stands. The zero Vantage is the internet.
type Vantage struct {
	// Name is the word of the flag or the policy file; it goes into finding
	// ids. "" is the name of the class.
	Name string

	// Class decides which rules hold. "" is internet.
	Class VantageClass
}

// class gives the class, the default filled in.
func (v Vantage) class() VantageClass {
	if v.Class == "" {
		return ClassInternet
	}
	return v.Class
}

// String gives the name by which findings know the vantage point.
func (v Vantage) String() string {
	if v.Name == "" {
		return string(v.class())
	}
	return v.Name
}

// ParseVantage reads a class, or the name of one of the given vantage points. "" is
// the internet.
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
