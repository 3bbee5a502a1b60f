"""Tables on S3: versions are claimed by a conditional put, as delta-table claims them."""

import os
import sys
import tempfile

from py4j.protocol import Py4JJavaError

from delta_load_codecs import LoadError

NAME = "DeltaLoadLogStore"
# Delta's own log store for S3 looks whether a version is there, and then puts it: two programs can both find that it isn't.
SOURCE = """
import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.commons.io.IOUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.s3a.S3AFileSystem;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;

public class DeltaLoadLogStore extends HadoopFileSystemLogStore {
    private static final int CONFLICT = 409;
    private static final int THERE = 412;
    private static final int TRIES = 5;

    public DeltaLoadLogStore(Configuration conf) {
        super(conf);
    }

    public void write(Path path, Iterator actions, Boolean overwrite, Configuration conf) throws IOException {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        while (actions.hasNext()) {
            lines.write(((String) actions.next()).getBytes("UTF-8"));
            lines.write(10);
        }
        FileSystem files = path.getFileSystem(conf);
        if (overwrite.booleanValue()) {
            FSDataOutputStream stream = files.create(path, true);
            stream.write(lines.toByteArray());
            stream.close();
        } else {
            claim((S3AFileSystem) files, path, lines.toByteArray());
        }
    }

    private void claim(S3AFileSystem files, Path path, byte[] data) throws IOException {
        S3Client client = files.getS3AInternals().getAmazonS3Client("put-if-absent");
        String key = files.makeQualified(path).toUri().getPath().substring(1);
        AwsRequestOverrideConfiguration.Builder asked = AwsRequestOverrideConfiguration.builder();
        asked.putHeader("If-None-Match", "*");
        PutObjectRequest.Builder request = files.getRequestFactory().newPutObjectRequestBuilder(key, null, data.length, false);
        request.overrideConfiguration((AwsRequestOverrideConfiguration) asked.build());
        PutObjectRequest put = (PutObjectRequest) request.build();
        for (int tries = 1; ; tries++) {
            try {
                client.putObject(put, RequestBody.fromBytes(data));
                return;
            } catch (SdkException error) {
                int status = error instanceof S3Exception ? ((S3Exception) error).statusCode() : 0;
                if (status == CONFLICT && tries < TRIES) {
                    continue;
                }
                // An answer may have been lost, and the request been sent again.
                byte[] there = contentOf(files, path);
                if (there != null && Arrays.equals(there, data)) {
                    return;
                }
                if (status == THERE || there != null) {
                    throw new FileAlreadyExistsException(path.toString());
                }
                throw new IOException("Whether " + path + " was written isn't known", error);
            }
        }
    }

    private byte[] contentOf(S3AFileSystem files, Path path) throws IOException {
        FSDataInputStream stream;
        try {
            stream = files.open(path);
        } catch (FileNotFoundException error) {
            return null;
        }
        try {
            return IOUtils.toByteArray(stream);
        } finally {
            stream.close();
        }
    }

    public Boolean isPartialWriteVisible(Path path, Configuration conf) {
        return Boolean.FALSE;
    }
}
"""
KEYS = ["spark.delta.logStore.class", "delta.logStore.class", "spark.delta.logStore.s3a.impl", "delta.logStore.s3a.impl"]
NEEDED = "A table on S3 needs hadoop-aws of Spark's own Hadoop, 3.4 or newer, and the AWS SDK that goes with it: add them with --spark-conf spark.jars.packages=org.apache.hadoop:hadoop-aws:VERSION"


def settings_of(s3):
    """How Hadoop reaches what delta-table reaches; keys are those of the environment, or whatever else Hadoop is told of."""
    found = {}
    if s3.get("endpoint"):
        found |= {"fs.s3a.endpoint": s3["endpoint"], "fs.s3a.endpoint.region": "us-east-1", "fs.s3a.path.style.access": "true"}
    if s3.get("region"):
        found["fs.s3a.endpoint.region"] = s3["region"]
    if s3.get("forcePathStyle") is not None:
        found["fs.s3a.path.style.access"] = str(s3["forcePathStyle"]).lower()
    return found


def claim_by_put(spark, url):
    """Has Delta claim versions on S3 by a conditional put, unless Spark's configuration names another log store."""
    jvm = spark._jvm
    try:
        files = jvm.org.apache.hadoop.fs.Path(url).getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())
    except Py4JJavaError as error:
        if "ClassNotFoundException" in str(error.java_exception) or "UnsupportedFileSystem" in str(error.java_exception):
            raise LoadError("DELTA_MISSING_DEPENDENCY", NEEDED) from None
        raise
    conf = jvm.org.apache.spark.SparkEnv.get().conf()
    named = next((key for key in KEYS if conf.contains(key)), None)
    if named is None:
        if not is_a(files, "org.apache.hadoop.fs.s3a.S3AFileSystem"):
            raise LoadError("DELTA_MISSING_DEPENDENCY", f"{NEEDED} (fs.s3a.impl is another file system)")
        load_log_store(jvm)
        conf.set(KEYS[2], NAME)
    elif conf.get(named) != NAME:
        print(f"{named} is {conf.get(named)}: whether others may write to {url} at the same time is for it to say.", file=sys.stderr)


def load_log_store(jvm):
    """Compiles the log store with the compiler that Spark has for its queries, and gives it to Spark's class loader."""
    loader = jvm.org.apache.spark.util.Utils.getContextOrSparkClassLoader()
    while loader is not None and not is_a(loader, "org.apache.spark.util.MutableURLClassLoader"):
        loader = loader.getParent()
    if loader is None:
        raise LoadError("DELTA_UNSUPPORTED_FEATURES_FOR_WRITE", "This Spark takes no class while it runs, which writing to S3 needs. Run the job with spark-submit.")
    compiler = jvm.org.codehaus.janino.SimpleCompiler()
    compiler.setParentClassLoader(loader)
    try:
        compiler.cook(SOURCE)
    except Py4JJavaError as error:
        raise LoadError("DELTA_MISSING_DEPENDENCY", f"{NEEDED} ({error.java_exception.getMessage()})") from None
    with tempfile.TemporaryDirectory() as folder:
        for name, code in compiler.getBytecodes().items():
            with open(os.path.join(folder, f"{name}.class"), "wb") as file:
                file.write(bytes(code))
        loader.addURL(jvm.java.io.File(folder).toURI().toURL())
        # Afterwards it is in memory.
        loader.loadClass(NAME)


def is_a(thing, name):
    """Whether a Java object is of this class or one that extends it."""
    kind = thing.getClass()
    while kind is not None and kind.getName() != name:
        kind = kind.getSuperclass()
    return kind is not None
