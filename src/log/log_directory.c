/*
 * log_directory.c
 *	  The directories of databases and partitions.
 *
 * A directory's name says which database or partition it belongs to, so files can be found
 * without the catalog: at server start, by redo, and when orphaned files are removed.
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include "log/log_directory.h"
#include "storage/fd.h"

char	   *pgt_log_dir = NULL;

void
pgt_log_directory_database_path(char *path, Oid database)
{
	snprintf(path, MAXPGPATH, "%s/%u", pgt_log_dir, database);
}

void
pgt_log_directory_partition_path(char *path, const TopicPartition *key)
{
	snprintf(path, MAXPGPATH, "%s/%u/%u-%d", pgt_log_dir,
			 key->database, key->topic, key->partition);
}

List *
pgt_log_directory_databases(void)
{
	DIR		   *dir = AllocateDir(pgt_log_dir);
	struct dirent *de;
	List	   *databases = NIL;

	while ((de = ReadDir(dir, pgt_log_dir)) != NULL)
	{
		char	   *end;
		unsigned long database = strtoul(de->d_name, &end, 10);

		if (database != 0 && *end == '\0')
			databases = lappend_oid(databases, (Oid) database);
	}
	FreeDir(dir);
	return databases;
}

/* Is this the name of a partition's directory: "<topic oid>-<partition>"? */
static bool
parse_name(const char *name, TopicPartition *key)
{
	char	   *end;
	unsigned long oid = strtoul(name, &end, 10);
	long		number;

	if (end == name || *end != '-' || end[1] < '0' || end[1] > '9')
		return false;
	number = strtol(end + 1, &end, 10);
	if (*end != '\0' || oid == 0 || oid > PG_UINT32_MAX || number > PG_INT32_MAX)
		return false;
	key->topic = (Oid) oid;
	key->partition = (int32) number;
	return true;
}

List *
pgt_log_directory_partitions(Oid database, int level)
{
	char		path[MAXPGPATH];
	DIR		   *dir;
	struct dirent *de;
	List	   *partitions = NIL;

	pgt_log_directory_database_path(path, database);
	dir = AllocateDir(path);
	if (dir == NULL && errno == ENOENT)
		return NIL;
	while ((de = ReadDirExtended(dir, path, level)) != NULL)
	{
		TopicPartition key = {database, InvalidOid, 0};

		if (parse_name(de->d_name, &key))
		{
			TopicPartition *found = palloc(sizeof(TopicPartition));

			*found = key;
			partitions = lappend(partitions, found);
		}
	}
	if (dir != NULL)
		FreeDir(dir);
	return partitions;
}

bool
pgt_log_directory_exists(Oid database, Oid topic, int partitions)
{
	char		path[MAXPGPATH];
	TopicPartition key = {database, topic, 0};

	if (!OidIsValid(topic))
	{
		pgt_log_directory_database_path(path, database);
		return access(path, F_OK) == 0;
	}
	for (; key.partition < partitions; key.partition++)
	{
		pgt_log_directory_partition_path(path, &key);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

int64
pgt_log_directory_file_size(const char *path)
{
	struct stat file;

	if (stat(path, &file) == 0)
		return file.st_size;
	if (errno != ENOENT)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	return 0;
}

bool
pgt_log_directory_add_size(DIR *dir, const char *path, int64 *size)
{
	struct dirent *entry = ReadDir(dir, path);
	char		file[MAXPGPATH * 2];

	if (entry == NULL)
		return false;
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return true;
	snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
	*size += pgt_log_directory_file_size(file);
	return true;
}
