package syn

import (
	"testing"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

func TestReason(t *testing.T) {
	for u, want := range map[rawnet.ICMPError]scan.Reason{
		{Type: 3, Code: 0}: scan.ReasonNetUnreach, {Type: 3, Code: 1}: scan.ReasonHostUnreach,
		{Type: 3, Code: 3}: scan.ReasonAdminProhibited, {Type: 3, Code: 9}: scan.ReasonAdminProhibited,
		{Type: 3, Code: 10}: scan.ReasonAdminProhibited, {Type: 3, Code: 13}: scan.ReasonAdminProhibited,
		{Type: 3, Code: 7}: scan.ReasonHostUnreach, {Type: 11}: scan.ReasonNetUnreach,
		{Type: 1, Code: 0, V6: true}: scan.ReasonNetUnreach, {Type: 1, Code: 1, V6: true}: scan.ReasonAdminProhibited,
		{Type: 1, Code: 3, V6: true}: scan.ReasonHostUnreach, {Type: 1, Code: 4, V6: true}: scan.ReasonAdminProhibited,
		{Type: 3, V6: true}: scan.ReasonNetUnreach,
	} {
		if got := reason(u); got != want {
			t.Errorf("%v: %v, want %v", u, got, want)
		}
	}
}
