/* nmi: the button that some PCs have for it, by which a hung kernel is made to speak. */
#pragma once

/* Raises LINT1 of the @n vCPUs' local APICs, the pin that a PC wires it to: those that have it set to
 * deliver an NMI get one. No vCPU runs. The number of those that got it. */
unsigned nmi_inject(const int *vcpu_fds, unsigned n);
