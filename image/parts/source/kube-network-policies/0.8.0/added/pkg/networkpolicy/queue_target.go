package networkpolicy

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

var enforced atomic.Bool

// Enforced tells whether the rules are in place and the queue is read.
func Enforced() bool { return enforced.Load() }

// queueTarget is the target that hands a packet to this process. The one of iptables, because not every kernel has
// nftables' own: kernels of Debian and Ubuntu have both.
func queueTarget(config Config) *expr.Target {
	// struct xt_NFQ_info_v3: number of the queue, number of queues, flags; its size is a multiple of 8.
	info := make(xt.Unknown, 8)
	binary.NativeEndian.PutUint16(info[0:], uint16(config.QueueID))
	binary.NativeEndian.PutUint16(info[2:], 1)
	if config.FailOpen {
		binary.NativeEndian.PutUint16(info[4:], 1) // NFQ_FLAG_BYPASS
	}
	return &expr.Target{Name: "NFQUEUE", Rev: 3, Info: &info}
}
