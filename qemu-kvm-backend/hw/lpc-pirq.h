/* lpc-pirq: the registers of ICH9's LPC bridge (datasheet 316972, 13.1.17 and 13.1.19) that lead PCI's lines to the PICs,
 * as the bridge has them and the DSDT tells of them. */
#pragma once

#define LPC_SLOT          31u
#define LPC_PIRQA_ROUT    0x60u /* four bytes, and for PIRQE to PIRQH four at LPC_PIRQE_ROUT */
#define LPC_PIRQE_ROUT    0x68u
#define LPC_PIRQ_UNROUTED 0x80u
#define LPC_PIRQ_IRQ      0x0fu
