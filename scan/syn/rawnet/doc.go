// Package rawnet sends single TCP SYN segments past the kernel's TCP, receives the
// answers, and finds with the kernel and the neighbors on a link how an address is
// reached. It makes no decisions: package syn decides which addresses are probed,
// when, how often, what an answer means, and what may be contacted at all.
//
// A [Template] is a SYN that is patched for each destination, a [Sender] sends frames
// in batches (AF_XDP, or sendmmsg on AF_PACKET), and a [Ring] receives (TPACKET_V3)
// what an [AnswerFilter] keeps; [Decode] decodes it. A [Netlink] reads routes and
// links, a [NeighborSocket] finds hardware addresses. [DropRights] drops the right to
// open any of these.
//
// Times are nanoseconds since 1970 on the clock with which the kernel stamps packets,
// lengths are bytes. Frames, filters and Decode work anywhere; sockets need Linux, and
// CAP_NET_RAW except for Netlink: without it the error wraps unix.EPERM.
package rawnet
