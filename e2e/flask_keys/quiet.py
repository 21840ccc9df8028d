"""vulnerable.py with nothing mended but its log, under Werkzeug's development server.

    python e2e/flask_keys/quiet.py 5110
"""

import sys
from pathlib import Path

from vulnerable import app

sys.path.append(str(Path(__file__).parents[1]))
from remedy import remedy

if __name__ == "__main__":
    remedy("key-out-of-logs", "flask").keep_credentials_out_of_logs()
    app.run(host="127.0.0.1", port=int(sys.argv[1]), debug=True, use_reloader=False)
