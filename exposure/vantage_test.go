package exposure

import (
	"strings"
	"testing"
)

func TestParseVantage(t *testing.T) {
	named := []Vantage{{Name: "ci-runner-eu1", Class: ClassInternet}}
	v, err := ParseVantage("ci-runner-eu1", named)
	if err != nil || v.Class != ClassInternet || v.String() != "ci-runner-eu1" {
		t.Errorf("got %+v, %v", v, err)
	}
	if v, err := ParseVantage("", nil); err != nil || v.String() != "internet" {
		t.Errorf("got %+v, %v", v, err)
	}
	if _, err := ParseVantage("moon", named); err == nil || !strings.Contains(err.Error(), `unknown vantage "moon"`) {
		t.Errorf("got %v", err)
	}
}

// Nobody scans from where configuration files are read.
func TestConfigIsNoVantageOfAScan(t *testing.T) {
	if v, err := ParseVantage(string(ClassConfig), nil); err == nil {
		t.Errorf("config is the vantage point %+v", v)
	}
}
