package jsonfault

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/jsonfault/faulttest"
)

// An Inner is embedded in a record.
type Inner struct {
	Port uint16 `json:"port"`
}

type record struct {
	Inner
	Name   string     `json:"name"`
	Count  int        `json:"count"`
	Ratio  float64    `json:"ratio"`
	Up     bool       `json:"up"`
	IP     netip.Addr `json:"ip"`
	At     time.Time  `json:"at"`
	List   []string   `json:"list"`
	Nested struct {
		Deep uint64 `json:"deep"`
	} `json:"nested"`
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		`{"port": "x"}`:            `member "port" cannot be a string: expecting a whole number from 0 to 65535`,
		`{"port": 70000}`:          `member "port" cannot be the number 70000: expecting a whole number from 0 to 65535`,
		`{"name": 1}`:              `member "name" cannot be a number: expecting a string`,
		`{"count": [1]}`:           `member "count" cannot be an array: expecting a whole number`,
		`{"ratio": true}`:          `member "ratio" cannot be true or false: expecting a number`,
		`{"up": {}}`:               `member "up" cannot be an object: expecting true or false`,
		`{"list": "x"}`:            `member "list" cannot be a string: expecting an array`,
		`{"nested": {"deep": -1}}`: `member "nested.deep" cannot be the number -1: expecting a whole number that is not negative`,
		`{"ip": "1.2.3"}`:          `"1.2.3" is not an IP address: IPv4 address too short`,
		`{"ip": 1}`:                `member "ip" cannot be a number: expecting a string`,
		`{"at": "yesterday"}`:      `"yesterday" is not a time like 2006-01-02T15:04:05Z`,
		`{"at": 1}`:                `a time is not text like "2006-01-02T15:04:05Z"`,
		`[1]`:                      `expecting an object, not an array`,
		`nonsense`:                 `not JSON: unexpected character 'o' in literal null (expecting 'u')`,
		`{"port": 1`:               `not JSON: it is incomplete`,
	} {
		var r record
		if err := Plain(json.Unmarshal([]byte(in), &r)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	d := json.NewDecoder(strings.NewReader(`{"x": 1}`))
	d.DisallowUnknownFields()
	if err := Plain(d.Decode(new(record))); err == nil || err.Error() != `unknown member "x"` {
		t.Error(err)
	}
	other := errors.New("no space left on device")
	for _, err := range []error{nil, io.EOF, io.ErrUnexpectedEOF, other} {
		if got := Plain(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// FuzzPlain sees to it that no text, however wrong, upsets Plain, and that each
// fault is told.
func FuzzPlain(f *testing.F) {
	f.Add([]byte(`{"port": "x", "at": 1, "nested": {"deep": []}}`))
	f.Add([]byte("\"\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r record
		if err := json.Unmarshal(data, &r); err != nil && Plain(err).Error() == "" {
			t.Errorf("%q: nothing is told of %v", data, err)
		}
	})
}

// TestGoWords holds that the program's own words are found where they are.
func TestGoWords(t *testing.T) {
	for _, document := range []string{`{"port": "x"}`, `{"at": 1}`, `{"ip": "1"}`, `[1]`} {
		var r record
		if err := json.Unmarshal([]byte(document), &r); faulttest.GoWords(err.Error()) == "" {
			t.Errorf("%v passes", err)
		}
	}
}
