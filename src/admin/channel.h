/* channel.h - messages over a connected packet socket (AF_UNIX, SOCK_SEQPACKET), perhaps with a
 * descriptor. https://man7.org/linux/man-pages/man7/unix.7.html
 *
 * A packet is a message: there is nothing to frame, and no half of one. A message comes with the
 * one descriptor its kind has, or it is refused and what came is closed. The socket is the
 * caller's. */
#ifndef MED_ADMIN_CHANNEL_H
#define MED_ADMIN_CHANNEL_H

#include "admin/message.h"

enum med_send { MED_SEND_WAIT, MED_SEND_OR_DROP };
/* Waits up to `milliseconds` for room; MED_SEND_OR_DROP drops the message instead (and is true).
 * `descriptor` is -1 or what the kind carries; it stays the caller's. MED_ISSUE_TRANSIENT when
 * the other side is gone or does not take it. */
bool med_channel_send(int socket, const med_message *m, int descriptor, enum med_send how,
                      int milliseconds, med_err *err) MED_MUST_CHECK;

enum med_receive { MED_RECEIVED, MED_RECEIVE_LATE, MED_RECEIVE_GONE, MED_RECEIVE_BAD };
/* The next message; its slices live in `a`. *descriptor is -1 or the caller's to close. LATE:
 * none came in time. GONE: the other side has closed. BAD: *err says what was wrong. */
enum med_receive med_channel_receive(int socket, med_arena *a, int milliseconds, med_message *out,
                                     int *descriptor, med_err *err);

#endif
