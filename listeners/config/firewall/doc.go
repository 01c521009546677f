// Package firewall reads which ports the packet filter of a host drops: the rules of
// iptables-save, as ufw and netfilter-persistent keep them, and those of nftables. It reads no
// more of a rule than its ports and its verdict.
package firewall
