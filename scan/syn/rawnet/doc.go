// Package rawnet sends single TCP SYN segments past the kernel's TCP, receives
// what answers them, and asks the kernel and the neighbors on a link how an
// address is reached. It decides nothing: which addresses are asked, when, how
// often, and what an answer means is package syn's business, and so is who may be
// contacted at all.
//
// A [Template] is a SYN that is patched for each destination, a [Sender] sends
// frames in batches (AF_XDP, or sendmmsg on AF_PACKET), and a [Ring] receives
// (TPACKET_V3) what an [AnswerFilter] keeps; [Decode] reads it. A [Netlink] tells
// routes and links, a [NeighborSocket] hardware addresses. [DropRights] gives up
// the right to open any of these.
//
// Times are nanoseconds since 1970 on the clock that the kernel stamps packets
// with, lengths are bytes. Frames, filters and Decode work anywhere; sockets need
// Linux, and CAP_NET_RAW but for Netlink: without it the error wraps unix.EPERM.
package rawnet
