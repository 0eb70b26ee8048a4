/* faulty-disk: a disk that fails now and then, for a daemon that this is preloaded into.
 *
 * The test and what is preloaded share a file, named by the environment variable FAULTY_DISK: the test says there how
 * often which error is to come, and is told how often it did. Only calls about files below the directory FAULTY_DIR
 * fail, in nothing that the daemon starts.
 */
#pragma once

enum {
    FAULTY_WRITE,
    FAULTY_FSYNC,
    FAULTY_RENAME,
    FAULTY_UNLINK,
    FAULTY_LINK,
    FAULTY_FSYNC_DIR,
    FAULTY_CALLS
};

typedef struct FaultyDisk {
    unsigned one_in; /* on the average; 0: none fails */
    unsigned only;   /* one bit for each kind of call that can fail; 0: all */
    int error;
    unsigned calls; /* that could have failed */
    unsigned failed[FAULTY_CALLS];
} FaultyDisk;
