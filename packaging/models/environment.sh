# Sourced by make.sh and train.sh from the repository's root: prepares `environment`, a Python with torch and ultralytics,
# and `weights`, the official file where none was named. TORCH names another build of torch (TORCH=torch==2.13.0 has CUDA).
environment=build/models-environment${TORCH:+-own-torch}
official=https://github.com/ultralytics/assets/releases/download/v8.3.0/yolo11n.pt

if [ ! -e "$environment/.ready" ]; then
    echo "Installing torch and ultralytics into $environment"
    "${PYTHON:-python3}" -m venv "$environment"
    pip="$environment/bin/python -m pip install --quiet"
    torch="${TORCH:-torch==2.13.0+cpu}"
    # PyTorch's own index has the build without CUDA; an index or folder that pip already knows may have it too.
    $pip "$torch" 2>/dev/null || $pip --extra-index-url https://download.pytorch.org/whl/cpu "$torch"
    # ultralytics asks for torchvision, whose registry build needs CUDA and another torch: see torchvision_shim.py.
    $pip --no-deps ultralytics==8.4.190 ultralytics-thop==2.2.3
    $pip numpy==2.4.6 matplotlib opencv-python-headless==5.0.0.93 pillow pyyaml requests psutil polars scipy \
        onnx==1.23.2 onnxslim==0.1.98 onnxruntime==1.32.0
    touch "$environment/.ready"
fi

if [ -z "$weights" ]; then
    weights=build/yolo11n.pt
    [ -e "$weights" ] || "$environment/bin/python" -c "
import sys, urllib.request
try:
    urllib.request.urlretrieve('$official', '$weights')
except OSError as error:
    sys.exit(f'The official weights can not be fetched ({error}). Name a file: make models WEIGHTS=yolo11n.pt')
"
fi
