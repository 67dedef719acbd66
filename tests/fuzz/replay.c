/* replay.c - runs a fuzz target over the files of its corpus, without libFuzzer.
 *
 * So every input that once broke a parser stays a unit test in each ordinary build. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads the whole of a file into room of exactly its size, so that ASan sees one byte more. */
static int replay_file(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    ssize_t got = data == NULL ? -1 : read(fd, data, size);
    close(fd);
    if (got < 0 || (size_t)got != size) {
        fprintf(stderr, "replay: can not read %s\n", name);
        exit(1);
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return 0;
    int n = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += replay_file(dirfd(folder), entry->d_name);
    closedir(folder);
    return n;
}

int main(int argc, char **argv)
{
    int n = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        n += replay_folder(argv[i]);
    printf("replayed %d inputs\n", n);
    return 0;
}
