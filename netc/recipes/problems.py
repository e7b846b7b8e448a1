"""What can go wrong when a recipe is run: with its data, its run folder and its training. Imports no JAX."""

from dataclasses import dataclass

from netc.problems import Problem


@dataclass(frozen=True, kw_only=True)
class MissingData(Problem):
    """A data set is not where it should be, and cannot be fetched.

    `--data DIR` names the folder with a data set's files. Without it, netc looks in its cache
    (`$NETC_DATA`, or `~/.cache/netc`) and then asks the publisher.
    """

    name: str
    reason: str

    def message(self) -> str:
        return f"the data set `{self.name}` cannot be read: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class CorruptData(Problem):
    """A data file is not what its name says: truncated, empty, of another format, or changed on its way.

    Nothing of such a file is used. What could run code when it is opened, such as pickled objects, is never opened.
    """

    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` is not usable: {self.reason}"

    def help(self) -> str:
        return "fetch the file again, or name another with `--data`"


@dataclass(frozen=True, kw_only=True)
class DataMismatch(Problem):
    """The data do not have the shapes, fields or values that the net and its recipe were checked for.

    Data are looked at before training begins: shapes, the number of examples, whole labels from 0 to below the number
    of classes, and no NaN.
    """

    text: str

    def message(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class CannotSlide(Problem):
    """A net cannot be read over larger inputs (`model.at`, `netc predict --slide`): it would not give at each place
    what it gives for that window alone.

    Layers that work at each position slide, and so do `flatten` and global pools, which then work on each window.
    Layers that pad, recurrent layers, `local` and `reshape` do not.
    """

    net: str
    reason: str

    def message(self) -> str:
        return f"`{self.net}` does not slide: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class NotFinite(Problem):
    """The loss is no longer a finite number: training has diverged.

    Training stops at that step, and the last weights whose loss was finite are kept. The step is done once more and
    looked into: the message names the layer, the gradient or the weight in which the first number that is not finite
    stood, and the last checkpoint before it.
    """

    what: str
    kept: str
    where: str = ""
    checkpoint: str = ""

    def message(self) -> str:
        where = f"; {self.where}" if self.where else ""
        checkpoint = f"; the last good checkpoint is `{self.checkpoint}`" if self.checkpoint else ""
        return f"{self.what}{where}; {self.kept} are kept{checkpoint}"

    def help(self) -> str:
        return "lower the rate, clip gradients (`clip_by_global_norm(1.0) -> adam(...)`), or look at the data"


@dataclass(frozen=True, kw_only=True)
class FolderExists(Problem):
    """The folder for a run is there already. A run is never overwritten.

    Without `--out`, runs go to runs/NAME, runs/NAME-2 and so on.
    """

    path: str

    def message(self) -> str:
        return f"`{self.path}` exists already"

    def help(self) -> str:
        return "choose another with `--out`, go on with the run in it with `--resume`, or remove it"


@dataclass(frozen=True, kw_only=True)
class RunInUse(Problem):
    """Another process is training in the folder of a run.

    The system holds the lock for as long as that process lives, and no longer: what was killed locks nothing.
    """

    path: str
    process: str

    def message(self) -> str:
        by = f" (process {self.process})" if self.process else ""
        return f"`{self.path}` is in use: another training{by} writes into it"

    def help(self) -> str:
        return "wait for it or stop it, or choose another folder with `--out`"


@dataclass(frozen=True, kw_only=True)
class CannotResume(Problem):
    """A run cannot go on as it was: its net, recipe or data are others now, or a checkpoint is of another net.

    A resumed run gives what one that never stopped would give; so only its length (`epochs`, `steps`) and `checkpoint`
    may change. The message says what was and what is.
    """

    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` cannot go on: {self.reason}"

    def help(self) -> str:
        return self.way_out or "undo the change, or begin another run with another `--out`"


@dataclass(frozen=True, kw_only=True)
class CannotWrite(Problem):
    """A file of a run cannot be written: the disk is full or read-only, or the folder has gone."""

    path: str
    reason: str
    way_out: str = "make room, or choose another folder with `--out`"

    def message(self) -> str:
        return f"cannot write `{self.path}`: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class NotARun(Problem):
    """A folder is not that of a finished run: `netc train` makes one with run.yaml, net.net and weights.safetensors."""

    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` is not a run that can be read: {self.reason}"

    def help(self) -> str:
        return "train one: `netc train specs/digits.net --out runs/digits`"


@dataclass(frozen=True, kw_only=True)
class CorruptWeights(Problem):
    """A file of weights cannot be read: missing, truncated, with a header that lies, or with code in it.

    Nothing of such a file is used, and no file of weights can run code: safetensors are a table of names, shapes and
    offsets, then numbers; `netc import` takes nothing but tensors from the files of PyTorch and Keras.
    """

    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` has no weights that can be read: {self.reason}"

    def help(self) -> str:
        return self.way_out or "write one: `netc export runs/digits --to safetensors -o digits.safetensors`"


@dataclass(frozen=True, kw_only=True)
class WeightsMismatch(Problem):
    """The weights of a file are not those of the net: their names, their shapes, or what shares them.

    A file must hold every weight of the net, once, under its owner's name, and no other. What netc writes also says
    which layers share a weight, and a file in which two weights are one does not go into a net in which they are two.
    A file from elsewhere is read by a map (`netc import`), in which every weight of the net has a source, and every
    tensor of the file a weight, or is ignored by name.
    """

    path: str
    text: str

    def message(self) -> str:
        return f"`{self.path}` does not fit: {self.text}"


@dataclass(frozen=True, kw_only=True)
class BadMap(Problem):
    """A map of weights is not as `netc import` reads it: YAML with `weights`, and perhaps `optional`, `ignore` and
    `strip`.

    Under `weights` stands each weight of the net with its source: `conv{i}.kernel: features.{2*i}.weight ->
    transpose(2, 3, 1, 0)`. Steps are a closed list, and nothing in a map is ever run.
    """

    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` is no map of weights: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class MissingExtra(Problem):
    """A part of netc needs a package that is not installed.

    The compiler and training need few packages; data sets from scikit-learn or the Hugging Face hub, those larger than
    memory, reading pictures, weights of PyTorch and Keras, files for TensorBoard, and sweeps by Ray need more.
    """

    package: str
    extra: str
    purpose: str

    def message(self) -> str:
        return f"{self.purpose} needs {self.package}, which is not installed"

    def help(self) -> str:
        return f"pip install 'netc[{self.extra}]'"


@dataclass(frozen=True, kw_only=True)
class WorkerEnded(Problem):
    """A process that read the data for a training (`--workers`) ended before its work was done.

    It may have been killed, as there was no memory for it. Batches come through shared memory, /dev/shm, which is 64 MB
    in a container unless it is asked for more (`docker run --shm-size 8g`). What was trained is kept, and `--resume`
    goes on.
    """

    exit_code: int

    def message(self) -> str:
        return f"a worker process that reads the data has ended, with exit code {self.exit_code}"

    def help(self) -> str:
        script = 'in a script, put the training under `if __name__ == "__main__":`'
        return f"if memory or /dev/shm is full, take fewer workers or smaller batches; {script}"


@dataclass(frozen=True, kw_only=True)
class BadConfig(Problem):
    """A `--config` file is not a run.yaml that can be repeated, or says something else than the command line.

    `netc train --config runs/x/run.yaml` repeats a run. The file is plain YAML, as netc wrote it into the run's
    folder; the message names what is wrong in it.
    """

    path: str
    reason: str
    key: str = ""

    def message(self) -> str:
        subject = f"`{self.key}`: " if self.key else ""
        return f"`{self.path}` cannot be used as configuration: {subject}{self.reason}"

    def help(self) -> str:
        return self.way_out or "`netc train FILE --out runs/x` writes one that can: runs/x/run.yaml"


@dataclass(frozen=True, kw_only=True)
class BadSweep(Problem):
    """The settings of a `netc sweep` make no sweep: none has several values, or one has a value that is empty or twice.

    Values stand between commas, `--set rate=0.1,0.03`, or are whole numbers from one to another, `--set seed=0..4`.
    Commas within brackets and quotes belong to a value.
    """

    reason: str

    def message(self) -> str:
        return f"this is no sweep: {self.reason}"

    def help(self) -> str:
        return self.way_out or "values stand between commas: `--set rate=0.1,0.03 --set seed=0..4`"


@dataclass(frozen=True, kw_only=True)
class NoRecipe(Problem):
    """A file has no recipe that could be trained by, or several and none is chosen.

    A recipe is a `train` block beside the net; `netc train FILE RECIPE` chooses one of several.
    """

    reason: str
    known: tuple[str, ...] = ()

    def message(self) -> str:
        return self.reason

    def help(self) -> str:
        if self.known:
            return "choose one: " + ", ".join(self.known)
        return "add one: `train Net { data = ...  loss = ...  optimizer = adam(rate = 0.001) }`"


@dataclass(frozen=True, kw_only=True)
class BadInput(Problem):
    """What `predict` is given is no picture, text or array that fits the net's input.

    It takes PNG and JPEG pictures, arrays in .npy files, with one example or a batch of them, and any file where the
    input is a text of bytes, `token(256)[n]`.
    """

    path: str
    reason: str

    def message(self) -> str:
        return f"`{self.path}` cannot be predicted: {self.reason}"


PROBLEMS = (
    MissingData,
    CorruptData,
    DataMismatch,
    CannotSlide,
    NotFinite,
    FolderExists,
    RunInUse,
    CannotResume,
    CannotWrite,
    NotARun,
    CorruptWeights,
    WeightsMismatch,
    BadMap,
    MissingExtra,
    WorkerEnded,
    BadConfig,
    BadSweep,
    NoRecipe,
    BadInput,
)
