package signatures

import "testing"

func TestCPE23(t *testing.T) {
	for _, test := range []struct{ uri, want string }{
		{"cpe:/a:example:maild:1.2", "cpe:2.3:a:example:maild:1.2:*:*:*:*:*:*:*"},
		{"cpe:/a:example:maild", "cpe:2.3:a:example:maild:*:*:*:*:*:*:*:*"},
		{"cpe:/o:example:system:::edition:en", "cpe:2.3:o:example:system:*:*:edition:en:*:*:*:*"},
		{"cpe:/h:example:box:-", "cpe:2.3:h:example:box:-:*:*:*:*:*:*:*"},
		{"cpe:/a:example:maild:" + ShieldCPE("1:2 50%/x"), `cpe:2.3:a:example:maild:1\:2_50\%\/x:*:*:*:*:*:*:*`},
		{"cpe:/a:example:maild:%zz", `cpe:2.3:a:example:maild:\%zz:*:*:*:*:*:*:*`},
		{"cpe:2.3:a:example:maild:1.2:*:*:*:*:*:*:*", ""},
		{"cpe:/x:example:maild", ""},
		{"cpe:/a:example", ""},
		{"cpe:/a:b:c:d:e:f:g:h", ""},
		{"", ""},
	} {
		if got := CPE23(test.uri); got != test.want {
			t.Errorf("CPE23(%q) = %q, want %q", test.uri, got, test.want)
		}
	}
}
