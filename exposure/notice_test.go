package exposure

import "testing"

func TestNoticeKinds(t *testing.T) {
	last := "MXS9000"
	for _, k := range NoticeKinds() {
		if k.Code <= last || len(k.Code) != 7 {
			t.Errorf("code %s is out of order", k.Code)
		}
		last = k.Code
		if k.Name == "" || k.Level == "" || k.Title == "" || k.Why == "" || k.Help == "" {
			t.Errorf("%s lacks a text", k.Code)
		}
	}
}
