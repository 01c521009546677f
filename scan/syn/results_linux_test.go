package syn

import (
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

func TestReason(t *testing.T) {
	for u, want := range map[rawnet.ICMPError]result.Reason{
		{Type: 3, Code: 0}: result.ReasonNetUnreach, {Type: 3, Code: 1}: result.ReasonHostUnreach,
		{Type: 3, Code: 3}: result.ReasonAdminProhibited, {Type: 3, Code: 9}: result.ReasonAdminProhibited,
		{Type: 3, Code: 10}: result.ReasonAdminProhibited, {Type: 3, Code: 13}: result.ReasonAdminProhibited,
		{Type: 3, Code: 7}: result.ReasonHostUnreach, {Type: 11}: result.ReasonNetUnreach,
		{Type: 1, Code: 0, V6: true}: result.ReasonNetUnreach, {Type: 1, Code: 1, V6: true}: result.ReasonAdminProhibited,
		{Type: 1, Code: 3, V6: true}: result.ReasonHostUnreach, {Type: 1, Code: 4, V6: true}: result.ReasonAdminProhibited,
		{Type: 3, V6: true}: result.ReasonNetUnreach,
	} {
		if got := reason(u); got != want {
			t.Errorf("%v: %v, want %v", u, got, want)
		}
	}
}
